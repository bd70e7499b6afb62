"""`--fix`: the safe fixes of a folder's `SKILL.md`, which is written anew in one step or not at all."""

from collections.abc import Callable
from pathlib import Path

from raptorflow.skills.errors import FolderUnwritable
from raptorflow.skills.fixes import edits
from raptorflow.skills.frontmatter import FILE, split_document
from raptorflow.skills.reader import MAX_SKILL_MD
from raptorflow.skills.replacing import replace_file

BOM = "\ufeff"
# Line ends to a YAML parser, and to no editor: places in such a text mean two things.
ODD_LINE_ENDS = frozenset("\x85\u2028\u2029")
# Real frontmatter has some hundred characters; each fix parses all of it again.
MAX_MENDED = 8 * 1024
FIXES: dict[str, Callable[[str, str], str | None]] = {
    "put values in quotes": edits.quote_values,
    "spelt the name as the folder": edits.name_as_folder,
    "wrote allowed-tools as one text": edits.tools_as_text,
    "put the values of metadata in quotes": edits.metadata_as_texts,
    "moved an unknown field to metadata": edits.unknown_to_metadata,
}
MAX_ROUNDS = 100


def fix(folder: Path) -> list[str]:
    """Mend what can be mended without a doubt; what was done, each a phrase.

    Raises:
        FolderUnwritable: the file cannot be written; it is as it was.
    """
    file = folder / FILE
    if file.is_symlink() or not file.is_file() or file.stat().st_size > MAX_SKILL_MD:
        return []
    try:
        content = file.read_bytes()
        mended, done = fixed(content, folder.resolve().name)
        if done:
            replace_file(file, mended)
    except OSError as error:
        raise FolderUnwritable(f"{file} cannot be written: {error.strerror}.") from error
    return done


def fixed(content: bytes, folder: str) -> tuple[bytes, list[str]]:
    """A `SKILL.md` mended, and what was done; line ends and the body stay as they are."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return content, []
    done: list[str] = []
    if text.startswith(BOM):
        text = text.lstrip(BOM)
        done.append("took the byte order mark away")
    line_end = "\r\n" if "\r\n" in text else "\n"
    parts = split_document(text.replace("\r\n", "\n"))
    if parts is None or "\r" in text.replace("\r\n", "") or not _is_plain(parts[0]):
        return (text.encode(), done) if done else (content, [])
    source, mended = parts[0], parts[0]
    unmended = list(done)
    for _ in range(MAX_ROUNDS):
        step = next(
            ((name, better) for name, edit in FIXES.items() if (better := edit(mended, folder))), None
        )
        if step is None:
            break
        mended = step[1]
        done += [step[0]] * (step[0] not in done)
    if mended == source or (edits.is_yaml(source) and not edits.is_yaml(mended)):
        return (text.encode(), unmended) if unmended else (content, [])
    opening, rest = text[: text.index("\n") + 1], text[text.index("\n") + 1 :]
    below = rest[len(source.replace("\n", line_end)) :]
    return f"{opening}{mended.replace(chr(10), line_end)}{below}".encode(), done


def _is_plain(source: str) -> bool:
    """Whether a frontmatter is short, and has lines that everybody counts alike."""
    return len(source) <= MAX_MENDED and ODD_LINE_ENDS.isdisjoint(source)
