"""A skill's bill of materials, CycloneDX 1.6 (https://cyclonedx.org): what is in it and what it needs.

The same skill gives the same document: its serial number comes from the digest, and there is no time in it.
"""

from collections.abc import Iterator, Mapping
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from raptorflow.base.json import JsonObject, loads
from raptorflow.skills.frontmatter import as_mapping
from raptorflow.skills.model import Skill
from raptorflow.skills.pep723 import skill_dependencies

SCHEMA = "http://cyclonedx.org/schema/bom-1.6.schema.json"


def bill(skill: Skill, files: Mapping[str, bytes]) -> JsonObject:
    """The document.

    Raises:
        ValueError: a script's block of dependencies is not valid.
    """
    needed = [*_python(files), *_npm(files), *_skills(skill)]
    root = f"skill:{skill.name}@{skill.version}"
    return {
        "$schema": SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, f'{skill.name}@{skill.digest}')}",
        "version": 1,
        "metadata": {"component": _component(skill, root)},
        "components": [*_files(skill), *needed],
        "dependencies": [{"ref": root, "dependsOn": sorted(part["bom-ref"] for part in needed)}],
    }


def _component(skill: Skill, reference: str) -> JsonObject:
    plain: JsonObject = {
        "type": "application",
        "bom-ref": reference,
        "name": skill.name,
        "version": skill.version,
        "description": skill.description,
        "properties": [_property(*pair) for pair in _declared(skill)],
    }
    return plain | ({"licenses": [{"license": {"name": skill.license}}]} if skill.license else {})


def _declared(skill: Skill) -> Iterator[tuple[str, str]]:
    declared = skill.capabilities.model_dump(mode="json")
    yield "digest", skill.digest
    yield from (("network", destination) for destination in declared["network"])
    yield from (("secret", f"{name} at {place}") for name, place in declared["secrets"].items())
    yield from (("service", f"{name}: {', '.join(each)}") for name, each in declared["services"].items())


def _files(skill: Skill) -> Iterator[JsonObject]:
    for each in skill.files:
        hashes = [{"alg": "SHA-256", "content": each.sha256}]
        yield {"type": "file", "bom-ref": f"file:{each.path}", "name": each.path, "hashes": hashes}


def _python(files: Mapping[str, bytes]) -> Iterator[JsonObject]:
    for text in skill_dependencies(files):
        wanted = Requirement(text)
        exact = next((one.version for one in wanted.specifier if one.operator in {"==", "==="}), None)
        yield _package("pypi", canonicalize_name(wanted.name), exact, str(wanted.specifier))


def _npm(files: Mapping[str, bytes]) -> Iterator[JsonObject]:
    found: dict[str, str] = {}
    for path in sorted(path for path in files if path.rpartition("/")[2] == "package.json"):
        try:
            document = as_mapping(loads(files[path])) or {}
        except ValueError:
            continue
        for name, wanted in (as_mapping(document.get("dependencies")) or {}).items():
            found.setdefault(name, str(wanted))
    for name, wanted in sorted(found.items()):
        yield _package("npm", name, wanted if wanted[:1].isdigit() else None, wanted)


def _skills(skill: Skill) -> Iterator[JsonObject]:
    for reference, wanted in sorted(skill.requires.items()):
        group, _, name = reference.partition("/")
        yield {
            "type": "application",
            "bom-ref": f"requires:{reference}",
            "group": group,
            "name": name,
            "properties": [_property("range", wanted)],
        }


def _package(kind: str, name: str, version: str | None, wanted: str) -> JsonObject:
    """A package by its package URL (https://github.com/package-url/purl-spec)."""
    url = f"pkg:{kind}/{quote(name, safe='/')}" + (f"@{quote(version)}" if version else "")
    plain: JsonObject = {"type": "library", "bom-ref": f"{kind}:{name}{wanted}", "name": name, "purl": url}
    plain |= {"version": version} if version else {}
    return plain | ({"properties": [_property("range", wanted)]} if wanted else {})


def _property(name: str, value: str) -> JsonObject:
    return {"name": f"raptorflow:{name}", "value": value}
