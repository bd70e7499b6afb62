"""The rules for what stands in a `SKILL.md` (https://agentskills.io/specification)."""

import re

from raptorflow.skills.findings import Findings
from raptorflow.skills.frontmatter import FILE, Document, as_mapping
from raptorflow.skills.text import control_in, hidden_in, shown, texts_of

FIELDS = {"name", "description", "license", "compatibility", "metadata", "allowed-tools"}
NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
MAX_NAME, MAX_DESCRIPTION, MAX_COMPATIBILITY = 64, 1024, 500
# The specification sets no bound for these two; ours is generous.
MAX_LICENSE, MAX_ALLOWED_TOOLS = 500, 4096
LONG_BODY_LINES = 500


def check_fields(document: Document, folder_name: str | None, findings: Findings) -> None:
    """Check the frontmatter against the specification."""
    fields, line = document.fields, document.lines.get
    for key in sorted(fields.keys() - FIELDS):
        remedy = f"Known: {', '.join(sorted(FIELDS))}. Put other values under `metadata` or in skill.toml."
        message = f"{shown(key)} is not a field of the specification."
        findings.error("field-unknown", FILE, message, remedy, line(key))
    for key, value in fields.items():
        _check_characters(key, value, line(key), findings)
    _check_name(fields.get("name"), folder_name, line("name"), findings)
    _check_text(document, "description", MAX_DESCRIPTION, findings, required=True)
    _check_text(document, "compatibility", MAX_COMPATIBILITY, findings)
    _check_text(document, "license", MAX_LICENSE, findings, strict=False)
    _check_text(document, "allowed-tools", MAX_ALLOWED_TOOLS, findings, strict=False)
    _check_metadata(document, findings)


def _check_metadata(document: Document, findings: Findings) -> None:
    """Texts by name: what the specification leaves to clients."""
    given, line = document.fields.get("metadata", {}), document.lines.get
    metadata = as_mapping(given)
    if metadata is None:
        message = f"`metadata` is {shown(given)}, not a table of texts."
        remedy = "Write `name: text` below it, indented, or leave it out."
        findings.error("metadata-invalid", FILE, message, remedy, line("metadata"))
    for name, value in (metadata or {}).items():
        if isinstance(value, str):
            continue
        message = f"`metadata.{name}` is {shown(value)}, not a text."
        remedy = f'Put it in quotes: `{name}: "…"`; `--fix` does it.'
        if isinstance(value, dict | list):
            remedy = "Write it as one text, or in a file of its own: `metadata` maps texts to texts."
        where = line(f"metadata.{name}") or line("metadata")
        findings.error("metadata-invalid", FILE, message, remedy, where)


def _check_characters(key: str, value: object, line: int | None, findings: Findings) -> None:
    texts = [key, *texts_of(value)]
    if found := next(filter(None, map(control_in, texts)), None):
        message = f"{shown(key)} has the control character {found}."
        findings.error("text-control", FILE, message, "Take it out.", line)
    elif found := next(filter(None, map(hidden_in, texts)), None):
        message = f"{shown(key)} has the invisible character {found}."
        findings.warning("text-hidden", FILE, message, "Take it out: a reader cannot see it.", line)


def check_body(document: Document, findings: Findings) -> None:
    """Check the instructions below the frontmatter."""
    body = document.body
    if not body.strip():
        message = "There are no instructions below the frontmatter."
        findings.warning("body-empty", FILE, message, "Write what to do.")
    elif body.count("\n") >= LONG_BODY_LINES:
        message = f"The instructions have over {LONG_BODY_LINES} lines."
        findings.warning("body-long", FILE, message, "Move details into files that are read on demand.")
    if found := control_in(body):
        message = f"The body has the control character {found}."
        findings.warning("body-control", FILE, message, "Take it out: terminals act on it.")
    elif found := hidden_in(body):
        message = f"The body has the invisible character {found}."
        findings.warning("text-hidden", FILE, message, "Take it out: a reader cannot see it.")


def _check_name(name: object, folder_name: str | None, line: int | None, findings: Findings) -> None:
    rule = f"Use a-z, 0-9 and single hyphens, {MAX_NAME} characters at most."
    if name is None or name == "":
        findings.error("name-missing", FILE, "`name` is missing.", "Give it the folder's name.", line or 1)
    elif not isinstance(name, str):
        message = f"`name` is {shown(name)}, not a text."
        findings.error("name-invalid", FILE, message, f"Put it in quotes. {rule}", line)
    elif len(name) > MAX_NAME or not NAME.fullmatch(name):
        findings.error("name-invalid", FILE, f"{shown(name)} is no skill name.", rule, line)
    elif folder_name is not None and name != folder_name:
        message = f"The name is {shown(name)} and the folder's {shown(folder_name)}."
        findings.error("name-mismatch", FILE, message, "Rename one of the two.", line)


def _check_text(
    document: Document,
    key: str,
    limit: int,
    findings: Findings,
    *,
    required: bool = False,
    strict: bool = True,
) -> None:
    value, line = document.fields.get(key), document.lines.get(key)
    if key not in document.fields and not required:
        return
    if value is None or (isinstance(value, str) and not value.strip()):
        message = f"`{key}` is missing or empty."
        remedy = f"Write `{key}: …`." if required else f"Write `{key}: …`, or leave it out."
        findings.error(f"{key}-missing", FILE, message, remedy, line or 1)
    elif not isinstance(value, str):
        message = f"`{key}` is {shown(value)}, not a text."
        remedy = "Separate the names by spaces." if key == "allowed-tools" else "Put it in quotes."
        findings.error(f"{key}-invalid", FILE, message, remedy, line)
    elif len(value) > limit:
        message = f"`{key}` has {len(value)} characters; {limit} are the limit."
        report = findings.error if strict else findings.warning
        report(f"{key}-too-long", FILE, message, "Say it shorter.", line)
