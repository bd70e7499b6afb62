"""Python environments of skills: resolved once, locked with hashes, built once for each lock.

uv does both. Only wheels are taken: building a source distribution would run its code outside a sandbox.
"""

import asyncio
import fcntl
import hashlib
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from uv import find_uv_bin

from raptorflow.registry.errors import BuilderUnavailable, EnvironmentUnsolvable

NETWORK_SIGNS = ("error sending request", "connect", "dns error", "timed out", "network")
MESSAGE_CHARACTERS = 1500


class Environments:
    """Locks and builds environments below a folder.

    Args:
        folder: where built environments lie, each under the digest of lock, Python and platform.
        python: the interpreter they are for.
        limit_seconds: how long one resolution or installation may take.
    """

    def __init__(self, folder: Path, python: Path, limit_seconds: float) -> None:
        self._folder = folder
        self._python = python
        self._limit = limit_seconds

    async def lock(self, dependencies: Sequence[str]) -> str:
        """The lock file (pinned requirements with hashes) of PEP 508 requirements.

        Raises:
            EnvironmentUnsolvable: they contradict each other, do not exist, or have no wheel.
            BuilderUnavailable: the package index does not answer.
        """
        arguments = ["--generate-hashes", "--no-header", "--no-annotate", "--only-binary", ":all:"]
        return await self._uv(
            ["pip", "compile", "-", *arguments, "--python", str(self._python)], given="\n".join(dependencies)
        )

    async def ensure(self, lock: str) -> Path:
        """The folder of the environment of a lock, built when it is not there.

        Raises:
            EnvironmentUnsolvable: a locked package cannot be installed.
            BuilderUnavailable: the package index does not answer.
        """
        target = self._folder / self.name_of(lock)
        if target.exists():
            return target
        self._folder.mkdir(parents=True, exist_ok=True)
        async with _exclusive(target.with_suffix(".lock")):
            if not target.exists():
                await self._build(lock, target)
        return target

    async def python_version(self) -> str:
        """The version of the interpreter that environments are for."""
        script = "import platform; print(platform.python_version())"
        process = await asyncio.create_subprocess_exec(
            str(self._python), "-I", "-c", script, stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
        return output.decode().strip()

    def name_of(self, lock: str) -> str:
        """The name of a lock's environment: a digest of lock, Python and platform."""
        parts = (lock, str(self._python.resolve()), platform.machine(), sys.platform, platform.libc_ver()[0])
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    async def _build(self, lock: str, target: Path) -> None:
        """Build beside the final name: an environment that exists is complete."""
        fresh = Path(tempfile.mkdtemp(dir=self._folder, prefix=".build-"))
        try:
            place = fresh / "env"
            await self._uv(["venv", "--quiet", "--relocatable", "--python", str(self._python), str(place)])
            requirements = fresh / "requirements.txt"
            requirements.write_text(lock)
            install = ["pip", "install", "--quiet", "--python", str(place / "bin" / "python")]
            install += ["--require-hashes", "--only-binary", ":all:", "--compile-bytecode", "--no-deps"]
            await self._uv([*install, "--link-mode", "copy", "-r", str(requirements)])
            place.rename(target)
        finally:
            await asyncio.to_thread(shutil.rmtree, fresh, ignore_errors=True)

    async def _uv(self, arguments: Sequence[str], *, given: str = "") -> str:
        self._folder.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "NO_COLOR": "1", "UV_NO_CONFIG": "1"}
        environment.pop("VIRTUAL_ENV", None)
        process = await asyncio.create_subprocess_exec(
            find_uv_bin(),
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
            cwd=str(self._folder),
        )
        try:
            async with asyncio.timeout(self._limit):
                output, errors = await process.communicate(given.encode())
        except TimeoutError as error:
            raise BuilderUnavailable(f"uv did not finish within {self._limit:g} s.") from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0:
            raise _refusal(errors.decode(errors="replace"))
        return output.decode()


def _refusal(errors: str) -> EnvironmentUnsolvable | BuilderUnavailable:
    said = errors.strip()[-MESSAGE_CHARACTERS:]
    if any(sign in said.lower() for sign in NETWORK_SIGNS):
        return BuilderUnavailable(f"The package index does not answer: {said}")
    return EnvironmentUnsolvable(
        f"The dependencies of the skill's scripts cannot be installed: {said}",
        hint="Correct the `# /// script` blocks; every dependency needs a wheel for this Python.",
    )


@asynccontextmanager
async def _exclusive(path: Path) -> AsyncGenerator[None]:
    """Hold a file lock, so that two workers do not build the same environment."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        await asyncio.to_thread(fcntl.flock, descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
