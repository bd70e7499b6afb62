"""What a script tries to get out, given to the interpreter itself: nothing has read it beforehand."""

import socket
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from raptorflow.sandbox.drivers.monty.engine import MontyWorker
from raptorflow.sandbox.drivers.monty.worker import Allowed, Failure, Printed

MakeWorker = Callable[[], Coroutine[Any, Any, MontyWorker]]
ALLOWED = Allowed(5, 64 * 2**20, 2**20, 500)

ATTEMPTS = [
    "open('/etc/passwd').read()",
    "open('{canary}').read()",
    "open('../../../../../../../etc/passwd').read()",
    "open('/proc/self/environ').read()",
    "open('{folder}/planted', 'w').write('x')",
    "import pathlib\npathlib.Path('{canary}').read_text()",
    "import pathlib\npathlib.Path('{folder}/planted').write_text('x')",
    "import pathlib\nlist(pathlib.Path('/').iterdir())",
    "import os\nos.listdir('/')",
    "import os\nassert list(os.walk('/'))",
    "import os\nos.remove('{canary}')",
    "import os\nos.rename('{canary}', '{folder}/planted')",
    "import os\nos.mkdir('{folder}/planted')",
    "import os\nos.chdir('{folder}')\nopen('canary').read()",
    "import os\nos.environ['PATH']",
    "import os\nassert os.getenv('RAPTORFLOW_WORKER')",
    "import os\nos.system('true')",
    "import os\nos.popen('true')",
    "import os\nos.fork()",
    "import os\nos.kill(1, 9)",
    "import socket\nsocket.create_connection(('127.0.0.1', {port}))",
    "import asyncio\nawait asyncio.open_connection('127.0.0.1', {port})",
    "import urllib.request",
    "import subprocess",
    "import ctypes",
    "import importlib",
    "import threading",
    "import multiprocessing",
    "import pickle",
    "import builtins",
    "import _socket",
    "import pydantic_monty",
    "import raptorflow",
    "__import__('os')",
    "eval('__import__(\"os\")')",
    "exec('import socket')",
    "getattr(__builtins__, 'open')",
    "().__class__.__bases__[0].__subclasses__()",
    "().__class__",
    "getattr((), '__cl' + 'ass__')",
    "str.__mro__",
    "type(1).__subclasses__(type(1))",
    "(lambda: 0).__globals__",
    "(lambda: 0).__code__",
    "(lambda: 0).__closure__",
    "(lambda: 0).__builtins__",
    "try:\n  1 / 0\nexcept Exception as error:\n  error.__traceback__.tb_frame.f_globals",
    "f'{{(1).__class__.__mro__}}'",
    "'{{0.__class__}}'.format(1)",
    "import sys\nsys.modules",
    "import sys\nsys._getframe()",
    "import sys\nsys.settrace(print)",
    "import json\njson.codecs",
    "import random\nrandom._os",
    "import hashlib\nhashlib.file_digest(open('{canary}', 'rb'), 'sha256')",
    "import csv\ncsv.reader(open('{canary}'))",
    "import tomllib\ntomllib.load(open('{canary}', 'rb'))",
    "compile('1', 'x', 'eval')",
    "globals()",
    "vars()",
    "breakpoint()",
    "input()",
    "type('A', (object,), {{'__del__': open}})",
]


@pytest.mark.parametrize("attempt", ATTEMPTS)
async def test_it_gets_nothing(make_worker: MakeWorker, tmp_path: Path, attempt: str) -> None:
    folder = tmp_path / "outside"
    folder.mkdir()
    canary = folder / "canary"
    canary.write_text("canary")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        values = {"canary": canary, "folder": folder, "port": listener.getsockname()[1]}
        worker = await make_worker()
        printed = Printed(10_000)
        with pytest.raises(Failure) as failure:
            await worker.run([attempt.format(**values)], {}, ALLOWED, printed)
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert failure.value.kind in {"error", "unsupported"}
    assert b"canary" not in printed.streams["stdout"].value()
    assert [file.name for file in folder.iterdir()] == ["canary"]
    assert canary.read_text() == "canary"


@pytest.mark.parametrize(
    "control",
    ["1 + 1", "import json\njson.dumps([1])", "import hashlib\nhashlib.sha256(b'x').hexdigest()"],
)
async def test_what_is_no_attempt_gets_through(make_worker: MakeWorker, control: str) -> None:
    worker = await make_worker()
    await worker.run([control], {}, ALLOWED, Printed(10_000))


async def test_a_crowd_of_deep_and_broken_scripts_harms_only_itself(make_worker: MakeWorker) -> None:
    hostile = [
        "(" * 5000 + ")" * 5000,
        "x = " + "[" * 5000 + "]" * 5000,
        "1 if " * 3000 + "1" + " else 1" * 3000,
        "\x00",
        "def f(" + ",".join(f"a{n}" for n in range(5000)) + "): pass\nf()",
        "int('9' * 10**7)",
        "'a' * -1 + 1",
    ]
    for source in hostile:
        worker = await make_worker()
        with pytest.raises(Failure):
            await worker.run([source], {}, ALLOWED, Printed(10_000))
    worker = await make_worker()
    await worker.run(["1"], {}, ALLOWED, Printed(10_000))
