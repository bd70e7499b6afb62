"""How far a long action has come."""

import json
import sys


def report(fraction: float, message: str = "") -> None:
    """Say how far it is, 0 to 1, as one JSON line on stderr: `{"progress": 0.4, "message": "..."}`."""
    line = {"progress": round(min(1.0, max(0.0, fraction)), 3), "message": message}
    print(json.dumps(line), file=sys.stderr, flush=True)
