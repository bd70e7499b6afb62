"""Commands inside of sentences and unfenced lines: the shell's rules read them too."""

import re
from collections.abc import Iterator

from raptorflow.skills.scanning.subject import Source
from raptorflow.skills.scanning.text.pages import Page

_SPAN = re.compile(r"`([^`\n]{12,1000})`")
_COMMAND = re.compile(
    r"(?:^|[\s|;&(\"'$])(?:sudo |env )?(?:curl|wget|bash|sh|zsh|eval|base64|nc|ncat|python3?|node|osascript|"
    r"powershell|pwsh|iwr|irm|unzip|7z|xattr|crontab|rm|dd|chmod|echo|cat|printenv|tar|security|launchctl|"
    r"mshta|certutil)\s+[^\s]"
)
_BARE = re.compile(
    r"^\s{0,12}(?:\d+[.)]\s+|[-*+]\s+|\$\s+|>\s+)?((?:sudo )?(?:curl|wget|bash|echo|eval|"
    r"powershell|base64|nc)\s+[^\n]{10,1000})$"
)


def inline_commands(page: Page) -> Iterator[Source]:
    """Each command in a code span, and each line that is one."""
    for line in page.lines:
        spans = _SPAN.findall(line.text) if "`" in line.text else []
        # What has a part left out is told of, and cannot be run as it stands.
        commands = [span for span in spans if _COMMAND.search(span) and "…" not in span]
        if not commands and (bare := _BARE.match(line.text)):
            commands = [bare[1]]
        if commands and not page.is_told(line, 0):
            yield from (
                Source(page.source.path, "shell", text, line.number, fenced=True) for text in commands
            )
