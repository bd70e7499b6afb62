"""The images that guests mount: what goes in comes out, and nothing else goes in."""

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.sandbox.microvm.erofs_reader import FOLDER, read_erofs

from raptorflow.sandbox.drivers.microvm.image.erofs import (
    FILE,
    LINK,
    Entry,
    TooLargeForImage,
    label_of,
    write_erofs,
)

NAMES = st.text(
    st.characters(blacklist_characters="/\0", blacklist_categories=("Cs",)), min_size=1, max_size=60
)
NAMED = NAMES.filter(lambda name: name not in {".", ".."} and len(name.encode()) <= 255)


def image_of(entries: dict[str, Entry], label: str = "test") -> bytes:
    target = io.BytesIO()
    write_erofs(target, entries, label)
    return target.getvalue()


@given(st.dictionaries(st.tuples(NAMED, NAMED).map("/".join), st.binary(max_size=9000), max_size=12))
@settings(max_examples=40, deadline=None)
def test_every_file_is_found_with_its_content(files: dict[str, bytes]) -> None:
    read = read_erofs(image_of({path: Entry.of_bytes(content) for path, content in files.items()}))
    assert {path: found.content for path, found in read.items() if found.mode & 0o170000 != FOLDER} == files


def test_a_folder_of_many_names_spans_blocks() -> None:
    files = {f"many/{'n' * (number % 200)}{number:05}": Entry.of_bytes(b"x") for number in range(3000)}
    assert set(read_erofs(image_of(files))) == {"", "many", *files}


def test_the_order_of_the_host_does_not_matter() -> None:
    files = {name: Entry.of_bytes(name.encode()) for name in ("b", "a/z", "a/b", "c")}
    assert image_of(files) == image_of(dict(reversed(list(files.items()))))


def test_nothing_of_the_host_goes_in_but_content_and_whether_it_runs(tmp_path: Path) -> None:
    for number, name in enumerate(("one", "two")):
        (tmp_path / name).write_bytes(b"same")
        (tmp_path / name).chmod(0o600 + number)
    one, two = (image_of({"f": Entry(FILE, tmp_path / name, 4)}) for name in ("one", "two"))
    assert one == two
    assert read_erofs(one)["f"].mode == 0o100444
    assert read_erofs(image_of({"f": Entry.of_bytes(b"", executable=True)}))["f"].mode == 0o100555


def test_a_link_keeps_its_target() -> None:
    assert read_erofs(image_of({"l": Entry(LINK, b"../x", 4)}))["l"].content == b"../x"


def test_the_label_can_be_read_back(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(image_of({}, "rf-root"))
    assert label_of(tmp_path / "image") == "rf-root"


@pytest.mark.parametrize("path", ["a" * 256, "a//b", ""])
def test_a_name_that_does_not_fit_is_refused(path: str) -> None:
    with pytest.raises(TooLargeForImage):
        image_of({path: Entry.of_bytes(b"")})


def test_a_file_of_four_gibibytes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TooLargeForImage):
        image_of({"f": Entry(FILE, tmp_path / "f", 2**32)})


@pytest.mark.parametrize("size", [3, 5])
def test_a_file_that_changed_meanwhile_is_refused(tmp_path: Path, size: int) -> None:
    (tmp_path / "f").write_bytes(bytes(4))
    with pytest.raises(OSError, match="changed"):
        image_of({"f": Entry(FILE, tmp_path / "f", size)})
