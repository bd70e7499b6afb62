"""Loading one of 1,000 installed skills of 2 to 50 KB, up to instructions and tools in the prompt.

Warm: the process has loaded the skill before. Cold: a fresh process's registry, folders already laid out; and
first: the folder has to be laid out from the blob store too. All on PostgreSQL and a folder of blobs.

    python benchmarks/skill_load.py
"""

import asyncio
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from raptorflow.base.ids import new_id
from raptorflow.base.json import dumps
from raptorflow.core.blobs import open_blobs
from raptorflow.core.db import Database
from raptorflow.core.engine import Engine
from raptorflow.core.migrate import upgrade
from raptorflow.core.settings import EngineSettings, TelemetrySettings
from raptorflow.core.telemetry import configure_telemetry
from raptorflow.orchestrator.context.prompt import build_prompt
from raptorflow.orchestrator.tools.definitions import action_tools
from raptorflow.registry.build import build_registry
from raptorflow.registry.embeddings import HashingEmbedder, MiniLmEmbedder
from raptorflow.registry.schemas import PublishReceipt
from raptorflow.registry.service import SkillsRegistry
from raptorflow.registry.settings import RegistrySettings
from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.skills.archive import pack_files
from raptorflow.stack.places import open_place
from raptorflow.stack.postgres import EmbeddedPostgres

SKILLS, WARM, SEARCHES = 1000, 3000, 200
SMALLEST, LARGEST = 2_000, 50_000
BUDGET_TOKENS = 100_000
POLL_SECONDS = 0.05
SEED = 11
WORDS = (
    *("report", "invoice", "campaign", "budget", "customer", "schedule"),
    *("translate", "summary", "weather", "contract", "image", "table"),
)


def made_skill(number: int, chance: random.Random) -> bytes:
    """A skill of a random size with two actions."""
    size = chance.randint(SMALLEST, LARGEST)
    body = " ".join(chance.choice(WORDS) for _ in range(size // 8))
    schema = {"type": "object", "properties": {word: {"type": "string"} for word in WORDS[:6]}}
    manifest = 'schema = 1\n[skill]\nversion = "1.0.0"\n'
    for action in ("read", "write"):
        manifest += f'[actions.{action}]\ncommand = ["python", "run.py"]\ninput = "input.json"\n'
    topic = " ".join(chance.sample(WORDS, 4))
    name = f"skill-{number}"
    head = f"---\nname: {name}\ndescription: Works on {topic} number {number}.\n---\n"
    files = {
        "SKILL.md": f"{head}{body}\n".encode(),
        "skill.toml": manifest.encode(),
        "input.json": dumps(schema).encode(),
        "run.py": b"print(1)\n",
    }
    return pack_files(name, files, ())


async def publish_all(registry: SkillsRegistry, org_id: UUID) -> None:
    """Publish and install every skill through the real pipeline."""
    chance = random.Random(SEED)
    owner = (org_id, "bench")
    receipts = [
        await registry.publish(owner, None, made_skill(number, chance), install=True)
        for number in range(SKILLS)
    ]
    for receipt in receipts:
        await settled(registry, org_id, receipt)


async def settled(registry: SkillsRegistry, org_id: UUID, receipt: PublishReceipt) -> None:
    """Wait for a publish; fail when it did."""
    while receipt.status != "published":
        if receipt.status == "failed":
            raise SystemExit(f"{receipt.skill} was not published: {receipt.problem}")
        await asyncio.sleep(POLL_SECONDS)
        receipt = await registry.publish_status(org_id, receipt.publish_id)


async def load(registry: SkillsRegistry, org_id: UUID, number: int) -> float:
    """Milliseconds from the name to a prompt that has the instructions, and the tools."""
    began = time.perf_counter()
    loaded = await registry.load(org_id, f"skill-{number}")
    prompt = build_prompt([], [], [loaded], budget=BUDGET_TOKENS)
    tools = action_tools([loaded], ["data.csv"])
    elapsed = (time.perf_counter() - began) * 1000
    if len(tools) != 2 or prompt.tokens < SMALLEST // 8:
        raise SystemExit(f"skill-{number} was not loaded whole")
    return elapsed


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which a share of the values lies."""
    return round(sorted(values)[min(len(values) - 1, int(len(values) * share))], 3)


async def measure(folder: Path) -> dict[str, float | int]:
    """Everything, on embedded PostgreSQL in `folder`."""
    postgres = EmbeddedPostgres(folder)
    urls = await postgres.start()
    await asyncio.to_thread(upgrade, urls.owner_url)
    database, org_id = Database(urls.app_url), new_id()
    places, blobs = (folder, sandbox_python()), open_blobs(str(folder / "blobs"))
    registry = build_registry(database, blobs, HashingEmbedder(), RegistrySettings(), places)
    engine = Engine(database, urls.app_url, EngineSettings())
    registry.publisher().register(engine)
    await engine.start()
    began = time.perf_counter()
    await publish_all(registry, org_id)
    publish_seconds = time.perf_counter() - began
    await engine.stop()
    numbers = list(range(SKILLS))
    random.Random(SEED).shuffle(numbers)
    first = [await load(registry, org_id, number) for number in numbers]
    fresh = build_registry(database, blobs, MiniLmEmbedder(), RegistrySettings(), places)
    cold = [await load(fresh, org_id, number) for number in numbers]
    chance = random.Random(SEED)
    warm = [await load(fresh, org_id, chance.randrange(SKILLS)) for _ in range(WARM)]
    hashing = [await search(registry, org_id, chance) for _ in range(SEARCHES)]
    await database.close()
    await postgres.stop()
    return {
        "skills": SKILLS,
        "p50_ms": quantile(warm, 0.5),
        "p99_ms": quantile(warm, 0.99),
        "cold_p50_ms": quantile(cold, 0.5),
        "cold_p99_ms": quantile(cold, 0.99),
        "first_p99_ms": quantile(first, 0.99),
        "search_p50_ms": quantile(hashing, 0.5),
        "search_p99_ms": quantile(hashing, 0.99),
        "publishes_per_second": round(SKILLS / publish_seconds, 1),
        "mean_ms": round(statistics.fmean(warm), 3),
    }


async def search(registry: SkillsRegistry, org_id: UUID, chance: random.Random) -> float:
    """Milliseconds of a search, without the embedding model."""
    began = time.perf_counter()
    found = await registry.search(org_id, " ".join(chance.sample(WORDS, 3)))
    if not found.hits:
        raise SystemExit("nothing was found")
    return (time.perf_counter() - began) * 1000


def main() -> None:
    """Measure and print one JSON line."""
    configure_telemetry(TelemetrySettings(log_level="WARNING"), service="benchmark")
    folder = Path(tempfile.mkdtemp(prefix="rf-"))
    try:
        print(dumps(asyncio.run(measure(folder))))
    finally:
        open_place(folder).remove()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
