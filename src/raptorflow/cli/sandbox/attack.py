"""`raptorflow sandbox attack`: every known attack on a sandbox, tried here and now."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from raptorflow.base.errors import InvalidInput
from raptorflow.base.json import dumps, loads
from raptorflow.cli.question import FileUnusable
from raptorflow.cli.sandbox.outcomes import counts_line, verdict_line
from raptorflow.cli.signals import EXIT_INTERRUPTED, run_until_signal
from raptorflow.core.settings import TelemetrySettings
from raptorflow.core.telemetry import configure_telemetry
from raptorflow.sandbox.attacks.catalogue.everything import ATTACKS
from raptorflow.sandbox.attacks.model import Attack
from raptorflow.sandbox.attacks.opening import open_stage
from raptorflow.sandbox.attacks.report import circumstances, page
from raptorflow.sandbox.attacks.runner import Verdict, failed, summary, try_one
from raptorflow.settings import load_settings


class NoSuchAttack(InvalidInput):
    """An attack was named that there is not."""

    code = "no-such-attack"
    default_hint = "Name them like R1,F6, or all of a letter: R, F, P, N, S, L."


class ResultsUnreadable(InvalidInput):
    """A file is not what an attack with `--json` has printed."""

    code = "results-unreadable"
    default_hint = "raptorflow sandbox attack --driver DRIVER --json > FILE"


def attack(
    *,
    driver: str | None = None,
    only: str | None = None,
    json: bool = False,
    report: Path | None = None,
    merge: Sequence[Path] = (),
) -> None:
    """Attack a sandbox, each attack with proof that it would succeed without it; exit 1 when one got through.

    Works as root and as an ordinary user: what the kernel does not hold for a user is said to be supervised.

    Args:
        driver: which sandbox; the configured one when not given.
        only: attacks, or letters of groups, with commas between.
        json: print one JSON object as the last line; progress goes to standard error.
        report: write a page about it, in Markdown.
        merge: JSON results of other drivers that the page is to hold as well.
    """
    configure_telemetry(TelemetrySettings(log_level="CRITICAL"), service="cli")
    chosen = _chosen(only)
    others = [_results(file) for file in merge]
    if report:
        _write(report, "")
    console = Console(highlight=False, stderr=json)
    found: list[dict[str, Any]] = []
    if not run_until_signal(_attack(chosen, driver, console, found)):
        sys.exit(EXIT_INTERRUPTED)
    counts = found[0]
    if json:
        print(dumps(counts))
    if report:
        _write(report, page([counts, *others]))
        console.print(f"Written: {report}", markup=False)
    if failed(counts):
        sys.exit(1)


async def _attack(
    attacks: Sequence[Attack], driver: str | None, console: Console, found: list[dict[str, Any]]
) -> None:
    settings = load_settings().sandbox
    verdicts: list[Verdict] = []
    async with open_stage(settings, driver or settings.driver) as stage:
        with console.status("") as status:
            for number, each in enumerate(attacks, 1):
                title = f"{each.attack_id} {each.title}"
                status.update(Text(f"{title} ({number} of {len(attacks)}) ..."))
                verdicts.append(await try_one(each, stage))
                console.print(verdict_line(verdicts[-1]), soft_wrap=True)
        counts = summary(stage.driver, verdicts) | await circumstances(stage)
    found.append(counts)
    console.print(counts_line(counts))


def _chosen(only: str | None) -> list[Attack]:
    if only is None:
        return list(ATTACKS)
    wanted = {word.strip().upper() for word in only.split(",") if word.strip()}
    if not wanted:
        raise NoSuchAttack(f"{only!r} names no attack.")
    known = {attack.attack_id for attack in ATTACKS} | {attack.attack_id[0] for attack in ATTACKS}
    if strange := sorted(wanted - known):
        raise NoSuchAttack(f"There is no attack {', '.join(strange)}.")
    return [attack for attack in ATTACKS if {attack.attack_id, attack.attack_id[0]} & wanted]


def _results(file: Path) -> dict[str, Any]:
    """The last line that is a JSON object with results."""
    try:
        lines = [line for line in file.read_text().splitlines() if re.match(r"\{.*\"results\"", line)]
        results: dict[str, Any] = loads(lines[-1])
        page([results])
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ResultsUnreadable(f"{file} holds no results: {error!r}.") from error
    return results


def _write(file: Path, text: str) -> None:
    try:
        with file.open("a" if not text else "w") as opened:
            opened.write(text)
    except OSError as error:
        raise FileUnusable(
            f"{file} cannot be written: {error.strerror}.", hint="Name another file."
        ) from error
