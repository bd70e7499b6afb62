"""Reading from sites: bounded in bytes, time and redirects, and never sent to another scheme."""

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
        self._http = httpx.Client(timeout=ANSWER_SECONDS, headers=HEADERS, follow_redirects=False)
        self._left = MAX_TOTAL

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._http.close()

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
        for _ in range(MAX_REDIRECTS + 1):
            status, content, location = self._read(url, most)
            if location is None:
                return Answer(status, content, url)
            onwards = urljoin(url, location)
            check_reached_from(split_url(onwards), split_url(url))
            url = onwards
        raise SourceUnreachable(f"{url} sends on and on.")

    def _read(self, url: str, most: int) -> tuple[int, bytes, str | None]:
        try:
            with self._http.stream("GET", url) as response:
                if response.has_redirect_location:
                    return response.status_code, b"", response.headers["Location"]
                return response.status_code, self._body(response, min(most, self._left)), None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise SourceUnreachable(f"{url} does not answer: {error!r}.") from error

    def _body(self, response: httpx.Response, most: int) -> bytes:
        url, end = response.url, time.monotonic() + LIMIT_SECONDS
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise SourceInvalid(f"{url} came packed, which was not asked for.")
        content = bytearray()
        for chunk in response.iter_raw():
            content += chunk
            if len(content) > most:
                raise SourceTooLarge(f"{url} has over {most} bytes, or all that came before has.")
            if time.monotonic() > end:
                raise SourceUnreachable(f"{url} took over {LIMIT_SECONDS:g} s.")
        self._left -= len(content)
        return bytes(content)
