"""Reading TOML files: no more than what they may have."""

from pathlib import Path

import pytest

from raptorflow.skills.toml import read_toml


def test_a_file_is_read_up_to_its_limit_and_refused_beyond(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_bytes("a = 'ü'".encode())
    assert read_toml(file, 8) == {"a": "ü"}
    with pytest.raises(ValueError, match="over 7 bytes"):
        read_toml(file, 7)


def test_no_more_of_an_endless_file_is_read() -> None:
    with pytest.raises(ValueError, match="over 1024 bytes"):
        read_toml(Path("/dev/zero"), 1024)


@pytest.mark.parametrize("content", [b"\xff", b"a = ", b"a = 1\na = 2", b"[" * 5000])
def test_what_is_no_toml_is_a_value_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.toml").write_bytes(content)
    with pytest.raises(ValueError, match=r"."):
        read_toml(tmp_path / "a.toml", 10_000)


def test_what_is_no_file_is_an_os_error(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "none"):
        with pytest.raises(OSError, match=r"."):
            read_toml(place, 10)
