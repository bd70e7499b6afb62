"""A skill's card and reference page, from the skill itself: the same skill gives the same page."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from raptorflow.base.json import JsonObject, dumps
from raptorflow.skills.cards.markdown import block, code, plain, schema_table, table
from raptorflow.skills.evals.cases import ActionCase, Evals
from raptorflow.skills.model import Action, Skill

MAX_EXAMPLES = 3
MAX_EXAMPLE = 4000


@dataclass(frozen=True)
class Known:
    """What is known of a skill besides its files.

    Attributes:
        changelog: the text of its CHANGELOG.md.
        results: the results of its cases, for exactly this digest.
        verdict: what the scanner says of it.
    """

    changelog: str = ""
    results: JsonObject | None = None
    verdict: str | None = None
    evals: Evals = field(default_factory=Evals)


def card(skill: Skill, known: Known) -> str:
    """The card: what a person wants to know before they use the skill."""
    parts = [f"# {plain(skill.name)}", plain(skill.description), _facts(skill, known), "## What it may do"]
    parts.append("\n".join(f"- {plain(sentence)}" for sentence in skill.capabilities.plain_words()))
    if skill.requires:
        parts += ["## What it builds on", table(("skill", "versions"), _rows(skill.requires))]
    if skill.actions:
        rows = ((code(action.name), plain(action.description)) for action in skill.actions)
        parts += ["## Actions", table(("action", "what it does"), rows)]
    if skill.variables:
        parts += ["## What can be customised", _variables(skill)]
    parts += _tests(known)
    return "\n\n".join(part for part in parts if part) + "\n"


def reference(skill: Skill, known: Known) -> str:
    """The reference: every action with its fields and examples that were run, variables, files, changelog."""
    parts = [f"# {plain(skill.name)} {plain(skill.version)}: reference", plain(skill.description)]
    for action in skill.actions:
        parts += _action(action, known)
    if skill.variables:
        parts += ["## Variables", _variables(skill)]
    files = ((code(each.path), f"{each.size:,}", code(each.sha256[:16])) for each in skill.files)
    parts += ["## Files", table(("file", "bytes", "SHA-256 begins"), files)]
    if known.changelog.strip():
        parts += ["## Changelog", block(known.changelog.strip(), "markdown")]
    return "\n\n".join(parts) + "\n"


def _facts(skill: Skill, known: Known) -> str:
    facts = {
        "version": code(skill.version),
        "digest": code(skill.digest),
        "licence": plain(skill.license or "not stated"),
        "compatibility": plain(skill.compatibility or ""),
        "categories": plain(", ".join(skill.categories)),
        "tags": plain(", ".join(skill.tags)),
        "Python": code(skill.python) if skill.actions else "",
        "files": f"{len(skill.files)}, {sum(each.size for each in skill.files):,} bytes",
        "security scan": plain(known.verdict or ""),
    }
    return table(("", ""), ((name, value) for name, value in facts.items() if value))


def _rows(pairs: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    return ((code(name), code(value)) for name, value in sorted(pairs.items()))


def _variables(skill: Skill) -> str:
    rows = (
        (
            code(each.name),
            each.type,
            code(dumps(each.default)) if each.default is not None else "",
            plain(each.description),
        )
        for each in skill.variables
    )
    return table(("variable", "type", "default", "description"), rows)


def _tests(known: Known) -> list[str]:
    if not known.results:
        return []
    told = known.results
    sentences = [f"- {told['passed']} cases passed, {told['failed']} failed, {told['not_run']} were not run."]
    triggers = told["triggers"]
    if triggers["recall"] is not None:
        precision = "none" if triggers["precision"] is None else f"{triggers['precision']:.0%}"
        sentences.append(
            f"- Found when it should be: precision {precision}, recall {triggers['recall']:.0%}."
        )
    if graded := told["graded"]:
        gain = f"{graded['with_skill']:.0%} with the skill, {graded['without_skill']:.0%} without"
        sentences.append(f"- Graded by a model: {gain}.")
    sentences.append(f"- For the digest {code(told['digest'])}.")
    return ["## Tests", "\n".join(sentences)]


def _action(action: Action, known: Known) -> list[str]:
    parts = [f"## {plain(action.name)}", plain(action.description)]
    parts += [
        "### Takes",
        schema_table(action.input_schema),
        "### Answers",
        schema_table(action.output_schema),
    ]
    outputs = {
        case["name"]: case.get("output")
        for case in (known.results or {}).get("cases", [])
        if case["kind"] == "action" and case["outcome"] == "passed"
    }
    examples = [case for case in known.evals.actions if case.action == action.name and outputs.get(case.name)]
    for case in examples[:MAX_EXAMPLES]:
        parts += [f"### Example: {plain(case.name)}", block(_shown(_input(case)), "json")]
        parts += ["It was run, and answered:", block(_shown(outputs[case.name]), "json")]
    return parts


def _input(case: ActionCase) -> JsonObject:
    return {**case.input, **case.files}


def _shown(value: object) -> str:
    text = dumps(value)
    return text if len(text) <= MAX_EXAMPLE else f"{text[:MAX_EXAMPLE]} …"
