"""What the person who asked has customised."""

import json
import os
from typing import Any, cast

from raptorflow_skill.errors import SkillError

VARIABLES = "RAPTORFLOW_VARIABLES"


def variables() -> dict[str, Any]:
    """The skill's variables by name, as they were set; empty when none were.

    Raises:
        SkillError: what was set is no JSON object.
    """
    given = os.environ.get(VARIABLES) or "{}"
    try:
        found: object = json.loads(given)
    except ValueError as error:
        raise SkillError("variables-invalid", f"{VARIABLES} is not JSON: {error}.") from error
    if not isinstance(found, dict):
        raise SkillError("variables-invalid", f"{VARIABLES} is a {type(found).__name__}, not an object.")
    return cast("dict[str, Any]", found)
