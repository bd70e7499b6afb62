"""What the person who asked has customised."""

import json
import os
from typing import Any

VARIABLES = "RAPTORFLOW_VARIABLES"


def variables() -> dict[str, Any]:
    """The skill's variables by name, as they were set; empty when none were."""
    found: dict[str, Any] = json.loads(os.environ.get(VARIABLES) or "{}")
    return found
