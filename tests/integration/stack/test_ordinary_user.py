"""An ordinary user starts the same servers, in folders of their own, with no account made for them."""

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
SETUP_SECONDS = 240
RUN_SECONDS = 60

RunPython = Callable[..., str]
"""Runs Python code with arguments as the ordinary user; what it printed."""


@pytest.fixture(scope="module")
def user_home() -> Generator[Path]:
    """A folder for a user's home and an environment, reachable by everybody and removed again."""
    folder = Path(tempfile.mkdtemp(prefix="rf-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def run_python(user_home: Path) -> Generator[RunPython]:
    """When the tests run as root: a user made for them, with an environment they can reach."""
    home = user_home / "home"
    home.mkdir(mode=0o700)
    if os.geteuid() != 0:
        yield runner(sys.executable, home, os.environ["PATH"], None)
        return
    name = f"rf{uuid.uuid4().hex[:8]}"
    subprocess.run(["useradd", "--no-create-home", "--home-dir", str(home), name], check=True)
    try:
        uid = pwd.getpwnam(name).pw_uid
        os.chown(home, uid, pwd.getpwnam(name).pw_gid)
        python = make_environment(user_home / "venv", reachable_python(uid))
        yield runner(str(python), home, "/usr/bin:/bin", uid)
    finally:
        subprocess.run(["userdel", name], check=True)


def runner(python: str, home: Path, path: str, uid: int | None) -> RunPython:
    def run(code: str, *arguments: str) -> str:
        done = subprocess.run(
            [python, "-c", code, *arguments],
            env={"HOME": str(home), "PATH": path},
            cwd=home,
            user=uid,
            group=None if uid is None else pwd.getpwuid(uid).pw_gid,
            extra_groups=None if uid is None else [],
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def reachable_python(uid: int) -> str:
    """An interpreter that the user may execute: the tests' own may stand in root's home."""
    own = f"{sys.base_prefix}/bin/python3"
    check = "import sys; sys.exit(sys.version_info < (3, 11))"
    for candidate in (own, "/usr/bin/python3", "/usr/local/bin/python3"):
        try:
            subprocess.run([candidate, "-c", check], user=uid, extra_groups=[], check=True)
        except (OSError, subprocess.CalledProcessError):
            continue
        return candidate
    raise AssertionError("no Python 3.11+ that an ordinary user may execute: apt-get install python3")


def make_environment(folder: Path, python: str) -> Path:
    """What `make install` makes, as copies outside the repository."""
    uv = REPOSITORY / ".venv" / "bin" / "uv"
    sync = ["sync", "--frozen", "--no-dev", "--no-editable", "--link-mode", "copy", "--no-python-downloads"]
    # uv would take a wheel that it built earlier, and we want what stands here now.
    sync += ["--refresh-package", "raptorflow", "--quiet"]
    subprocess.run(
        [uv, *sync, "--python", python],
        cwd=REPOSITORY,
        env={**os.environ, "UV_PROJECT_ENVIRONMENT": str(folder)},
        timeout=SETUP_SECONDS,
        check=True,
    )
    return folder / "bin" / "python"


START_TWICE = """
import asyncio, json, os, stat, sys, time
from pathlib import Path
import psycopg
from raptorflow.core.valkey import open_valkey
from raptorflow.stack.places import default_data_dir, open_place
from raptorflow.stack.postgres import EmbeddedPostgres
from raptorflow.stack.valkey import EmbeddedValkey
async def once(folder, statement):
    postgres, valkey = EmbeddedPostgres(folder), EmbeddedValkey(folder)
    urls, url = await postgres.start(), await valkey.start()
    with psycopg.connect(urls.owner_url.replace("+psycopg", ""), autocommit=True) as connection:
        cursor = connection.execute(statement)
        row = cursor.fetchone() if cursor.description else None
    client = open_valkey(url)
    count = await client.incr("starts")
    await client.aclose()
    await valkey.stop()
    await postgres.stop()
    return row, count
async def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else default_data_dir()
    await once(folder, "create table kept as select 42 as answer")
    row, count = await once(folder, "select answer from kept")
    place = open_place(folder)
    modes = {str(p): stat.S_IMODE(p.stat().st_mode) for p in (place.data, place.servers, place.sockets)}
    print(json.dumps({"row": row, "count": count, "data": str(folder), "modes": modes,
        "sockets": str(place.sockets), "uid": place.sockets.stat().st_uid, "me": os.geteuid()}))
asyncio.run(main())
"""


def test_an_ordinary_user_s_servers_keep_their_data_in_the_home(
    run_python: RunPython, user_home: Path
) -> None:
    told = json.loads(run_python(START_TWICE))
    assert told["row"] == [42]
    assert told["count"] == 2
    assert told["data"] == str(user_home / "home/.local/share/raptorflow")
    assert set(told["modes"].values()) == {0o700}
    assert told["uid"] == told["me"]
    assert told["me"] != 0


# Every letter that some configuration file or URL gives a meaning.
ODD_NAME = 'it\'s "100%" & a+b?#'


@pytest.mark.parametrize("repeats", [1, 6])
def test_a_data_folder_may_have_any_name_and_length(
    run_python: RunPython, user_home: Path, repeats: int
) -> None:
    folder = user_home / "home" / (ODD_NAME * repeats)
    told = json.loads(run_python(START_TWICE, str(folder)))
    assert told["row"] == [42]
    assert set(told["modes"].values()) == {0o700}
    # A socket's path is short by nature: a long folder gets a short private one elsewhere.
    assert told["sockets"].startswith(str(folder)) == (repeats == 1)
    if repeats > 1:
        Path(told["sockets"]).rmdir()
