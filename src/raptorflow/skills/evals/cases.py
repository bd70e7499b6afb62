"""What can be tested of a skill: its actions, when it is found, and how well an agent does with it."""

from dataclasses import dataclass, field
from typing import Literal

from raptorflow.base.json import JsonObject

ExpectationKind = Literal["output", "contains", "schema", "error"]


@dataclass(frozen=True)
class Expectation:
    """What an action has to answer.

    Attributes:
        kind: the whole output, a part of it, a JSON Schema that it fits, or the code of an error.
    """

    kind: ExpectationKind
    value: object


@dataclass(frozen=True)
class ActionCase:
    """One call of an action.

    Attributes:
        input: what it is called with.
        files: which inputs are files: input name -> path in the skill.
        expected: every one of these has to hold.
        artifacts: names of files that it has to leave.
        seconds: how long it may take; as the manifest says when None.
    """

    name: str
    action: str
    input: JsonObject
    files: dict[str, str] = field(default_factory=dict[str, str])
    expected: tuple[Expectation, ...] = ()
    artifacts: tuple[str, ...] = ()
    seconds: float | None = None


@dataclass(frozen=True)
class TriggerCase:
    """A question that has to find the skill, or must not."""

    query: str
    should_trigger: bool


@dataclass(frozen=True)
class GradedCase:
    """A task for an agent, whose answer a model grades.

    Attributes:
        prompt: what the agent is asked.
        expected: what a good answer is, in words.
        assertions: what has to be true of the answer.
        files: paths in the skill.
    """

    name: str
    prompt: str
    expected: str = ""
    assertions: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evals:
    """All cases of a skill, and the unit tests of its scripts (files `tests/test_*.py`)."""

    actions: tuple[ActionCase, ...] = ()
    triggers: tuple[TriggerCase, ...] = ()
    graded: tuple[GradedCase, ...] = ()
    unit_tests: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.actions) + len(self.triggers) + len(self.graded) + len(self.unit_tests)
