"""Reading from sites: bounded in bytes, time and redirects, and never sent to another scheme."""

import asyncio
import time
from typing import NamedTuple, Self
from urllib.parse import urljoin

import httpx

from raptorflow.cli.skill.sources.errors import SourceUnreachable
from raptorflow.skills.containers.entry import MIB
from raptorflow.skills.sources.addresses import check_reached_from, check_secure, split_url
from raptorflow.skills.sources.errors import SourceInvalid, SourceTooLarge

ANSWER_SECONDS = 30.0
LIMIT_SECONDS = 120.0
TOTAL_SECONDS = 1800.0
MAX_REDIRECTS = 5
MAX_TOTAL = 512 * MIB
# Packed answers grow while they are read, and a digest is one of what was sent.
HEADERS = {"Accept-Encoding": "identity"}
OK, NOT_THERE = 200, {404, 410}


class Answer(NamedTuple):
    """What a site said, and where it was in the end."""

    status: int
    content: bytes
    url: str


class Web:
    """Asks sites; use it as a context manager."""

    def __init__(self) -> None:
        # A loop, for its clock: it ends an answer wherever that is, be it in the middle of a header.
        self._runner = asyncio.Runner()
        self._http = httpx.AsyncClient(timeout=ANSWER_SECONDS, headers=HEADERS, follow_redirects=False)
        self._left = MAX_TOTAL
        self._end = time.monotonic() + TOTAL_SECONDS

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        with self._runner:
            self._runner.run(self._http.aclose())

    def find(self, url: str, most: int) -> Answer | None:
        """What is at an address, at most `most` bytes of it; None when nothing is.

        Raises:
            SourceUnreachable: the site does not answer, or refuses.
            SourceTooLarge: there is more.
            SourceInvalid: it leads to another scheme, or to this machine.
        """
        answer = self.ask(url, most)
        if answer.status in NOT_THERE:
            return None
        if answer.status != OK:
            raise SourceUnreachable(f"{url} answered {answer.status}.")
        return answer

    def ask(self, url: str, most: int) -> Answer:
        """The same, whatever its status."""
        check_secure(split_url(url))
        return self._runner.run(self._in_time(url, most))

    async def _in_time(self, url: str, most: int) -> Answer:
        try:
            async with asyncio.timeout(min(LIMIT_SECONDS, self._end - time.monotonic())):
                return await self._follow(url, most)
        except TimeoutError as error:
            limits = f"{LIMIT_SECONDS:g} s, or all answers together over {TOTAL_SECONDS:g} s"
            raise SourceUnreachable(f"{url} took over {limits}.") from error

    async def _follow(self, url: str, most: int) -> Answer:
        for _ in range(MAX_REDIRECTS + 1):
            status, content, location = await self._read(url, most)
            if location is None:
                return Answer(status, content, url)
            onwards = urljoin(url, location)
            check_reached_from(split_url(onwards), split_url(url))
            url = onwards
        raise SourceUnreachable(f"{url} sends on and on.")

    async def _read(self, url: str, most: int) -> tuple[int, bytes, str | None]:
        try:
            async with self._http.stream("GET", url) as response:
                if response.has_redirect_location:
                    return response.status_code, b"", response.headers["Location"]
                return response.status_code, await self._body(response, min(most, self._left)), None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise SourceUnreachable(f"{url} does not answer: {error!r}.") from error
        except UnicodeError as error:
            raise SourceInvalid(f"{url} names no host: {error}.") from error

    async def _body(self, response: httpx.Response, most: int) -> bytes:
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise SourceInvalid(f"{response.url} came packed, which was not asked for.")
        content = bytearray()
        async for chunk in response.aiter_raw():
            content += chunk
            if len(content) > most:
                raise SourceTooLarge(f"{response.url} has over {most} bytes, or all that came before has.")
        self._left -= len(content)
        return bytes(content)
