"""From a skill's files, valid or not, to the `Subject` that detectors read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from raptorflow.skills.findings import Findings
from raptorflow.skills.frontmatter import FILE, Document, parse_document
from raptorflow.skills.manifest.document import Manifest, parse_manifest
from raptorflow.skills.manifest.table import FILE as MANIFEST
from raptorflow.skills.scanning.fences import fenced_blocks
from raptorflow.skills.scanning.languages import language_of, language_of_block
from raptorflow.skills.scanning.subject import Source, Subject

MAX_TEXT = 1024 * 1024
"""Characters of one file that are read; the rest is named as unread."""
MAX_WHOLE = 8 * 1024 * 1024
"""Characters of one skill that are read."""
_SNIFFED = 4096
_BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass
class Intake:
    """A subject, and the files whose text could not be read to the end."""

    subject: Subject
    cut: list[str] = field(default_factory=list[str])


def take_in(files: Mapping[str, bytes], folder_name: str | None) -> Intake:
    """Decode and split a skill's files. Never raises for what they hold."""
    findings, cut = Findings(), list[str]()
    document = parse_document(files[FILE], findings) if FILE in files else None
    manifest = parse_manifest(files, findings) if MANIFEST in files else None
    texts = dict(_texts(files, cut))
    whole = [Source(path, language_of(path, text), text) for path, text in texts.items()]
    blocks = [block for source in whole if source.language == "markdown" for block in _blocks(source)]
    subject = Subject(
        name=_text_field(document, "name") or folder_name or "",
        description=_text_field(document, "description"),
        files=files,
        sources=(*whole, *blocks),
        declared=(manifest or Manifest()).capabilities,
        manifest=manifest,
    )
    return Intake(subject, cut)


def decoded(content: bytes) -> str | None:
    """A file's text with Unix line ends; None when it is no text."""
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if content.startswith(mark)), "utf-8")
    if encoding != "utf-16" and b"\0" in content[:_SNIFFED]:
        return None
    text = content.decode(encoding, errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _texts(files: Mapping[str, bytes], cut: list[str]) -> Iterator[tuple[str, str]]:
    left = MAX_WHOLE
    for path in sorted(files, key=_most_telling_first):
        content = files[path]
        bound = min(left, MAX_TEXT)
        text = decoded(content[: bound + 1])
        if text is None:
            continue
        if len(content) > bound:
            cut.append(path)
        left -= min(len(content), bound)
        yield path, text[:bound]


def _most_telling_first(path: str) -> tuple[bool, bool, str]:
    """`SKILL.md`, then what has a language, so that data cannot use up the bound first."""
    return path != FILE, language_of(path, "") == "text", path


def _blocks(source: Source) -> Iterator[Source]:
    for block in fenced_blocks(source.text):
        language = language_of_block(block.info, block.text)
        yield Source(source.path, language, block.text, block.first_line, fenced=True)


def _text_field(document: Document | None, name: str) -> str:
    value = document.fields.get(name) if document else None
    return value.strip() if isinstance(value, str) else ""
