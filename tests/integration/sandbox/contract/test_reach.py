"""The broker is the only way out, and it is there for those alone who may use it."""

import json

import pytest
from tests.integration.sandbox.contract.conftest import RunCode
from tests.integration.sandbox.contract.expected import EXPECTED
from tests.support.outside import HOST, Origin, Outside, ok
from tests.support.subjects import Subject

from raptorflow.skills.capabilities import Capabilities

ASK = """
import sys, urllib.error, urllib.request
try:
    print(urllib.request.urlopen(sys.argv[1], timeout=20).read().decode())
except urllib.error.HTTPError as error:
    print(error.code, error.read().decode())
"""
CALL = """
import os, socket
with socket.socket(socket.AF_UNIX) as door:
    door.connect(os.environ["RAPTORFLOW_BROKER"])
    door.sendall(b'{"service": "mail", "operation": "send", "arguments": {}}\\n')
    print(door.makefile().readline())
"""
TRY = """
import socket
try:
    door = socket.socket()
except OSError as error:
    print("none", error.errno)
else:
    door.settimeout(5)
    try:
        door.connect((%r, %d))
        door.sendall(b"GET http://api.example.com/ HTTP/1.1\\r\\n\\r\\n")
        print("answered" if door.recv(100) else "nowhere")
    except OSError:
        print("nowhere")
"""


@pytest.fixture
async def origin(outside: Outside) -> Origin:
    return await outside.origin(lambda _: ok(b"from outside"))


def reaching(origin: Origin) -> Capabilities:
    return Capabilities(network=frozenset({f"{HOST}:{origin.port}"}))


async def test_what_is_allowed_is_reached(run_code: RunCode, origin: Origin) -> None:
    url = f"http://{HOST}:{origin.port}/"
    result = await run_code("", command=("python", "-c", ASK, url), reach=reaching(origin))
    assert (result.status, result.stdout) == ("ok", b"from outside\n"), result
    assert origin.connections == 1


async def test_everything_else_is_refused_with_what_would_allow_it(
    run_code: RunCode, outside: Outside, origin: Origin
) -> None:
    before = len(outside.names.asked)
    url = f"http://other.example:{origin.port}/"
    result = await run_code("", command=("python", "-c", ASK, url), reach=reaching(origin))
    status, _, said = result.stdout.decode().partition(" ")
    problem = json.loads(said)
    assert (status, problem["code"]) == ("403", "host-not-allowed"), result
    assert f"other.example:{origin.port}" in problem["hint"]
    assert origin.connections == 0
    assert len(outside.names.asked) == before


async def test_services_answer_that_they_are_not_connected(run_code: RunCode) -> None:
    services = Capabilities(services={"mail": frozenset({"send"})})
    result = await run_code("", command=("python", "-c", CALL), reach=services)
    assert "service-not-connected" in result.stdout.decode(), result


async def test_who_may_reach_nothing_finds_no_way(
    run_code: RunCode, subject: Subject, origin: Origin
) -> None:
    for address in (("127.0.0.2", origin.port), ("127.0.0.1", 3128)):
        result = await run_code(TRY % address)
        said = result.stdout.decode().split()
        assert said == (["nowhere"] if EXPECTED[subject.name].sockets else ["none", "1"]), result
    assert origin.connections == 0
