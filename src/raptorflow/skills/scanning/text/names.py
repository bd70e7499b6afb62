"""Names that are almost those of others: skills that pose as a product, packages that pose as a library."""

import json
import re
from collections.abc import Iterator

from raptorflow.skills.frontmatter import as_mapping
from raptorflow.skills.pep723 import opening_line, script_metadata
from raptorflow.skills.scanning.model import Threat
from raptorflow.skills.scanning.python.context import threat_at
from raptorflow.skills.scanning.subject import Source, Subject
from raptorflow.skills.scanning.text.popular import NPM, PYPI, SKILLS
from raptorflow.skills.text import printable

_PIP = re.compile(r"\b(?:pip3?|uv pip|uv|pipx|python3? -m pip)\s+(?:install|add)\s+([^\n|;&`]{2,300})")
_NPM = re.compile(
    r"\b(?:npm|pnpm|yarn|bun)\s+(?:install|i|add)\s+([^\n|;&`]{2,300})|"
    r"\bnpx\s+(?:-y\s+)?(\S{3,80})"
)
_NAME = re.compile(r"(@?[A-Za-z][\w./-]{2,80}?)(?:\[[^\]]*\])?(?:[=<>~!@]=?[^\s]*)?[\"']?")
_LOOKALIKE = str.maketrans("01358|", "oiesbl")
REMEDY = "Check the name: install the library that is meant, with its version."


def names(subject: Subject) -> Iterator[Threat]:
    """Names at a distance of one from a well known one."""
    page = next((source for source in subject.sources if source.path == "SKILL.md"), None)
    if page and (meant := look_alike(subject.name, SKILLS)):
        message = f"The name {printable(subject.name)[:80]!r} is almost {meant!r}, which is somebody else's."
        yield threat_at(page, 2, "impersonation", "high", message, "Choose a name of your own.")
    if not subject.name.isascii() and page:
        message = f"The name {printable(subject.name)[:80]!r} has letters that look like others."
        yield threat_at(page, 2, "impersonation", "medium", message, "Use a-z, 0-9 and hyphens.")
    for source in subject.sources:
        for line, name, known in _packages(source):
            if meant := look_alike(name, known):
                message = f"The package {printable(name)!r} is almost {meant!r}."
                yield threat_at(source, line, "typosquat", "high", message, REMEDY)


def look_alike(name: str, known: frozenset[str]) -> str | None:
    """The well known name that this one can be taken for; None for a name of its own."""
    plain = re.sub(r"[-_.]+", "-", name.lower())
    if plain in known or len(plain) < 5:
        return None
    if (turned := plain.translate(_LOOKALIKE)) != plain and turned in known:
        return turned
    if (joined := plain.replace("-", "")) in known and joined != plain:
        return joined
    return next((other for other in _one_edit_away(plain) if other in known and len(other) >= 5), None)


def _one_edit_away(name: str) -> Iterator[str]:
    """Names with one letter left out, doubled, swapped with its neighbour or another."""
    letters = "abcdefghijklmnopqrstuvwxyz-"
    for place in range(len(name)):
        yield name[:place] + name[place + 1 :]
        if place + 1 < len(name):
            yield name[:place] + name[place + 1] + name[place] + name[place + 2 :]
        for letter in letters:
            if letter != name[place]:
                yield name[:place] + letter + name[place + 1 :]
    for place in range(len(name) + 1):
        for letter in letters:
            yield name[:place] + letter + name[place:]


def _packages(source: Source) -> Iterator[tuple[int, str, frozenset[str]]]:
    name = source.path.rpartition("/")[2].lower()
    if name == "package.json":
        yield from ((1, package, NPM) for package in _of_package_json(source.text))
    elif name.startswith("requirements") and name.endswith(".txt"):
        for number, line in enumerate(source.text.split("\n"), 1):
            if found := _NAME.fullmatch(line.partition("#")[0].partition(";")[0].strip()):
                yield number, found[1], PYPI
    text = source.text
    if "install" in text or "add " in text or "npx" in text:
        for found in _PIP.finditer(text):
            yield from ((_line(source, found), package, PYPI) for package in _listed(found[1]))
        for found in _NPM.finditer(text):
            yield from ((_line(source, found), package, NPM) for package in _listed(found[1] or found[2]))
    if source.language == "python" and "# ///" in text:
        yield from ((opening_line(text) or 1, package, PYPI) for package in _of_script(text))


def _listed(arguments: str) -> Iterator[str]:
    for word in arguments.split()[:20]:
        if not word.startswith(("-", ".", "/", "$", "<", "{", "git+", "http")) and (
            found := _NAME.fullmatch(word.strip("\"'"))
        ):
            yield found[1]


def _of_script(text: str) -> Iterator[str]:
    try:
        metadata = script_metadata(text)
    except ValueError:
        return
    for dependency in metadata.dependencies if metadata else ():
        yield re.split(r"[\s\[<>=!~;@]", dependency, maxsplit=1)[0]


def _of_package_json(text: str) -> Iterator[str]:
    try:
        document = as_mapping(json.loads(text)) or {}
    except (ValueError, RecursionError):
        return
    for key in ("dependencies", "devDependencies", "optionalDependencies"):
        yield from list(as_mapping(document.get(key)) or {})[:200]


def _line(source: Source, found: re.Match[str]) -> int:
    return source.first_line + source.text.count("\n", 0, found.start())
