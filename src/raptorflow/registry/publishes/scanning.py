"""The scan of a publish: what shows signs of harm is refused, what needs a look is let in and logged.

An author's own allowances never silence a critical finding (`skills/scanning/suppressions.py`), and the
registry has no baseline: what it refuses nobody lets in from outside.
"""

import asyncio
from collections.abc import Mapping

from raptorflow.core.telemetry import logger
from raptorflow.registry.errors import SkillBlocked
from raptorflow.skills.scanning.scan import scan_files

log = logger(__name__)
SHOWN = 20


async def refuse_harmful(files: Mapping[str, bytes], name: str) -> None:
    """Scan a skill that is being published.

    Raises:
        SkillBlocked: the verdict is `block`.
    """
    report = await asyncio.to_thread(scan_files, files, name)
    findings = [finding.model_dump(mode="json") for finding in report.findings[:SHOWN]]
    if report.verdict == "block":
        worst = report.findings[0]
        place = worst.file if worst.line is None else f"{worst.file}:{worst.line}"
        raise SkillBlocked(
            f"{name} shows signs of harm: {worst.message} ({place})", details={"findings": findings}
        )
    if report.verdict == "review":
        log.warning("a published skill needs a look", skill=name, power=report.power, findings=findings)
