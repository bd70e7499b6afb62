"""What goes wrong with the audit log."""

from raptorflow.base.errors import InvalidInput, PartUnavailable


class AuditUnavailable(PartUnavailable):
    """What happens could not be written down; nothing is started then."""

    code = "audit-unavailable"
    default_hint = "Make room on the disk, or set RAPTORFLOW_SANDBOX__AUDIT__DIR to a folder of your own."


class AuditBroken(InvalidInput):
    """The log is not what was written."""

    code = "audit-broken"
    default_hint = "Keep the files as they are, and compare them with your backups and with earlier exports."
