"""What honest programs need still works behind all the walls, and many at once do not meet."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from raptorflow.sandbox.manager import SandboxManager
from raptorflow.sandbox.result import SandboxResult

Attack = Callable[..., Coroutine[Any, Any, SandboxResult]]
AT_ONCE = 20


async def test_a_program_reads_its_own_skill_and_writes_its_own_workspace(attack: Attack) -> None:
    code = "print(open('/skill/data.txt').read()); open('note', 'w').write('x'); print(open('note').read())"
    result = await attack(code)
    assert result.stdout == b"the skill's own file\nx\n"


async def test_event_loops_work_without_a_network(attack: Attack) -> None:
    result = await attack("import asyncio\nasyncio.run(asyncio.sleep(0))\nprint('fine')")
    assert result.stdout == b"fine\n"


async def test_a_pair_of_sockets_carries_bytes(attack: Attack) -> None:
    result = await attack(
        "import socket\none, two = socket.socketpair()\none.send(b'x'); print(two.recv(1))\n"
        "try: socket.socketpair(socket.AF_INET)\nexcept OSError: print('and no other kind')"
    )
    assert result.stdout == b"b'x'\nand no other kind\n"


async def test_harmless_devices_and_shared_memory_work(attack: Attack) -> None:
    code = (
        "open('/dev/null', 'w').write('x'); open('/dev/shm/x', 'w').write('x')\n"
        "print(len(open('/dev/urandom', 'rb').read(8)), open('/dev/zero', 'rb').read(1))"
    )
    result = await attack(code)
    assert (result.status, result.stdout) == ("ok", b"8 b'\\x00'\n")


async def test_many_at_once_are_held_apart(attack: Attack, manager: SandboxManager) -> None:
    code = "import os; open('mine', 'x').write(str({n})); print(open('mine').read())"
    results = await asyncio.gather(*(attack(code.format(n=n)) for n in range(AT_ONCE)))
    assert [result.stdout for result in results] == [f"{n}\n".encode() for n in range(AT_ONCE)]
    assert next(report for report in await manager.probe() if report.driver == "local").available
