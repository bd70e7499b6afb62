"""What can go wrong with a session, besides what can go wrong with any sandbox.

Conflict
├── SandboxCannotPause      this kind of sandbox cannot be stopped and let go on
└── SandboxPaused           it is paused
TooLarge
└── CellTooLarge            a cell's code is longer than it may be
"""

from raptorflow.base.errors import Conflict, TooLarge


class SandboxCannotPause(Conflict):
    """The driver has no way to stop a sandbox and let it go on."""

    code = "sandbox-cannot-pause"
    default_hint = "Use a driver that can: `raptorflow sandbox check` lists what each can do."


class SandboxPaused(Conflict):
    """The session is paused: nothing runs in it, and nothing can be asked of it."""

    code = "sandbox-paused"
    default_hint = "Resume it first."


class CellTooLarge(TooLarge):
    """A cell's code is longer than it may be."""

    code = "sandbox-cell-too-large"
    default_hint = "Put larger code or data into a file of the session and read it in the cell."
