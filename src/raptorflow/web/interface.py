"""The built web interface: its page, with a nonce of its own in every answer, and its files."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from raptorflow.web.errors import InterfaceNotBuilt

BUILT = Path(__file__).with_name("dist")
"""Where `make ui` puts it; part of the wheel, not of the repository."""
NONCE_MARK = "__CSP_NONCE__"
NONCE_BYTES = 18


@dataclass(frozen=True)
class Page:
    """One answer's page and the nonce that its scripts and styles carry."""

    html: str
    nonce: str


class Interface:
    """The files of a build.

    Args:
        folder: where the build is; it may be missing, or come later.
    """

    def __init__(self, folder: Path = BUILT) -> None:
        self.folder = folder
        self._read: tuple[int, str] | None = None

    def page(self) -> Page:
        """The page that starts the interface, at whatever address.

        Raises:
            InterfaceNotBuilt: there is no build.
        """
        nonce = secrets.token_urlsafe(NONCE_BYTES)
        return Page(self._template().replace(NONCE_MARK, nonce), nonce)

    def file(self, name: str) -> Path | None:
        """A file beside the page, such as its icon; None when there is none of that name."""
        known = {entry.name: entry for entry in self.folder.iterdir()} if self.folder.is_dir() else {}
        found = known.get(name)
        return found if found and found.is_file() and name != "index.html" else None

    def _template(self) -> str:
        """The page as it was built; read again when it is built anew."""
        source = self.folder / "index.html"
        try:
            changed = source.stat().st_mtime_ns
            if self._read is None or self._read[0] != changed:
                self._read = (changed, source.read_text())
        except OSError as error:
            raise InterfaceNotBuilt("The web interface has not been built.") from error
        return self._read[1]
