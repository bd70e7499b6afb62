"""Writes what others decide of `raptorflow-sdk`.

The API's document gives its models and a method for each operation; the client that does not block gives the
one that does.

python tools/sdk.py            writes api/<room>/{models,calls}.py and client.py
python tools/sdk.py --check    fails when those files are not what they are written from
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, cast

from sdk_blocking import blocking
from sdk_calls import calls_module

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "ui/src/api/openapi.json"
SDK = ROOT / "packages/raptorflow-sdk/src/raptorflow_sdk"
API = SDK / "api"
CLIENT = SDK / "client.py"
BIN = Path(sys.executable).parent
HEADER = '"""What the {room} API takes and gives. Written by `make api` from the API\'s document."""'
MODEL_OPTIONS = [
    *("--input-file-type", "openapi", "--output-model-type", "pydantic_v2.BaseModel"),
    *("--target-python-version", "3.11", "--enum-field-as-literal", "all", "--formatters", "ruff-format"),
    *("--use-standard-collections", "--use-union-operator", "--use-schema-description", "--use-annotated"),
    *("--disable-timestamp", "--collapse-root-models", "--use-double-quotes", "--disable-future-imports"),
]
# What the document says for the sake of forms and of the server's own checks; a client has no use for it.
NOT_FOR_CLIENTS = {"title", "pattern", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum"}


def rooms(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The document of each tag's operations alone."""
    found: dict[str, dict[str, Any]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            room = found.setdefault(operation["tags"][0], {**document, "paths": {}})
            room["paths"].setdefault(path, {})[method] = operation
    return found


def tidy(document: dict[str, Any]) -> dict[str, Any]:
    """One schema where the framework made two, and no rule that would refuse what a newer server adds."""
    text = json.dumps(document).replace("Capabilities-Input", "Capabilities")
    plain = json.loads(text.replace("Capabilities-Output", "Capabilities"))
    for operations in plain["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
    return without_constants(without(plain))


def without(value: Any, *, names: bool = False) -> Any:
    """The value without what is not for clients; `names` are keys that an author chose."""
    if isinstance(value, list):
        return [without(item) for item in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    table = cast("dict[str, Any]", value)
    kept = {key: item for key, item in table.items() if names or is_for_clients(key, item)}
    return {key: without(item, names=key in {"properties", "schemas"}) for key, item in kept.items()}


def is_for_clients(key: str, value: Any) -> bool:
    """Not the server's checks, nor a refusal of what newer servers add, nor a default that is a table."""
    if key == "additionalProperties":
        return value is not False
    return key not in NOT_FOR_CLIENTS and not (key == "default" and isinstance(value, dict))


def without_constants(document: dict[str, Any]) -> dict[str, Any]:
    """The document without properties that always have the same value."""
    for schema in document["components"]["schemas"].values():
        properties = schema.get("properties", {})
        for name in [name for name, each in properties.items() if "const" in each]:
            del properties[name]
    return document


def used_schemas(document: dict[str, Any]) -> dict[str, Any]:
    """The document with those schemas alone that its operations lead to."""
    schemas = document["components"]["schemas"]
    waiting, used = [json.dumps(document["paths"])], set[str]()
    while waiting:
        for name in re.findall(r'"#/components/schemas/([^"]+)"', waiting.pop()):
            if name not in used:
                used.add(name)
                waiting.append(json.dumps(schemas[name]))
    return {**document, "components": {"schemas": {name: schemas[name] for name in sorted(used)}}}


def models_module(room: str, document: dict[str, Any], folder: Path) -> str:
    """The models' source, written by datamodel-code-generator."""
    given, made = folder / "document.json", folder / "models.py"
    given.write_text(json.dumps(document))
    command = [str(BIN / "datamodel-codegen"), "--input", str(given), "--output", str(made), *MODEL_OPTIONS]
    subprocess.run(command, check=True, capture_output=True)
    source = made.read_text()
    return f"{HEADER.format(room=room)}\n\n{source[source.index('from ') :]}"


def formatted(source: str, name: str) -> str:
    """The source as the house rules want it."""
    options = ["--config", str(ROOT / "pyproject.toml"), "--stdin-filename", name, "-"]
    for command in (["check", "--fix", "--unsafe-fixes", "--exit-zero", "--quiet"], ["format", "--quiet"]):
        done = subprocess.run(
            [str(BIN / "ruff"), *command, *options], input=source, capture_output=True, text=True, check=True
        )
        source = done.stdout
    return source


def modules() -> dict[Path, str]:
    """Every file's content."""
    document = tidy(json.loads(DOCUMENT.read_text()))
    client = blocking((SDK / "async_client.py").read_text())
    made: dict[Path, str] = {API / "__init__.py": "", CLIENT: formatted(client, str(CLIENT))}
    with tempfile.TemporaryDirectory() as folder:
        for room, part in sorted(rooms(document).items()):
            part = used_schemas(part)
            place = API / room
            made[place / "__init__.py"] = ""
            models = models_module(room, part, Path(folder))
            made[place / "models.py"] = formatted(models, str(place / "models.py"))
            made[place / "calls.py"] = formatted(calls_module(room, part), str(place / "calls.py"))
    return made


def main() -> int:
    """Write or check; 1 when the check fails."""
    wanted = modules()
    if "--check" not in sys.argv:
        for path, content in wanted.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return 0
    there = {path: path.read_text() for path in (*API.rglob("*.py"), CLIENT)}
    if there == wanted:
        return 0
    print("raptorflow-sdk is not what the API's document says: `make api` writes it anew.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
