"""`raptorflow demo`: the main job with nothing started beforehand."""

import socket
import sys
import tempfile
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from pydantic import SecretStr
from rich.console import Console

from raptorflow.cli.ask import OUTPUTS, ask_server
from raptorflow.cli.connection import Connection
from raptorflow.cli.first_steps import ADMIN_EMAIL, ADMIN_NAME, COMMAND_LINE, open_accounts
from raptorflow.cli.question import Question, check_question
from raptorflow.cli.samples import install_samples
from raptorflow.cli.signals import EXIT_INTERRUPTED, run_until_signal
from raptorflow.cli.stages import Stages
from raptorflow.core.settings import TelemetrySettings
from raptorflow.core.telemetry import configure_telemetry
from raptorflow.samples.made_data import campaigns_csv
from raptorflow.settings import Settings, load_settings
from raptorflow.stack.address import Address
from raptorflow.stack.launch import Running, running_stack
from raptorflow.stack.places import open_place

QUESTION = "Which campaign should get more budget?"


def demo(
    question: str = QUESTION,
    *,
    file: Annotated[list[Path] | None, Parameter(negative="")] = None,
    out: Path = OUTPUTS,
    json: bool = False,
    data: Path | None = None,
) -> None:
    """Ask the agent without a server: everything is started, asked and stopped.

    Args:
        question: the question, in plain words.
        file: a file to work on; made-up campaign data when none is given.
        out: the folder for files that the skills make.
        json: print one JSON object instead of the conversation.
        data: the folder for database and skills, kept for the next time; a temporary one when not given.
    """
    configure_telemetry(TelemetrySettings(log_level="WARNING"), service="cli")
    settings = load_settings()
    asked = Question(question, file or [], out)
    check_question(asked, limit_bytes=settings.orchestrator.max_file_bytes)
    work = _demo_in_passing(settings, asked, json) if data is None else _demo(settings, data, asked, json)
    if not run_until_signal(work):
        sys.exit(EXIT_INTERRUPTED)


async def _demo_in_passing(settings: Settings, asked: Question, as_json: bool) -> None:
    """The demo in a folder of which nothing stays, however it ends."""
    with tempfile.TemporaryDirectory(prefix="rf-demo-") as folder:
        try:
            await _demo(settings, Path(folder), asked, as_json)
        finally:
            # Root's servers keep their files elsewhere, and that place goes with the folder.
            open_place(Path(folder)).remove()


async def _demo(settings: Settings, data: Path, asked: Question, as_json: bool) -> None:
    stages = Stages(Console(stderr=True, quiet=as_json, highlight=False))
    settings.data.dir = data
    address = Address(port=_free_port())
    async with running_stack(settings, address, stage=stages.stage, report=stages.report) as running:
        with stages.stage("Starting a server and a worker"):
            await running.start_programs()
        with stages.stage("Publishing the sample skills"):
            await running.unless_failed(install_samples(running.settings))
        if not asked.files:
            asked = Question(asked.text, [_made_data(data)], asked.out)
        await ask_server(await _connection(running), asked, as_json=as_json)


async def _connection(running: Running) -> Connection:
    async with open_accounts(running.settings) as accounts:
        admin = await accounts.ensure_user(ADMIN_EMAIL, ADMIN_NAME, admin=True)
        token = await accounts.local_token(admin, COMMAND_LINE)
    return Connection(url=running.url, token=SecretStr(token))


def _made_data(folder: Path) -> Path:
    path = folder / "campaigns.csv"
    path.write_bytes(campaigns_csv())
    return path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
