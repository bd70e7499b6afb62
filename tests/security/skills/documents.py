"""Exports, test cases, envelopes and bundles that are nearly right: other JSON, or other bytes."""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st
from signers import CERTIFICATE, KEY, bundle_of, listing
from strategies import ANY, BINARY, SKILL_MD, mutated

from raptorflow.skills.archive import pack_files, unpack
from raptorflow.skills.digest import file_digest, tree_digest
from raptorflow.skills.frontmatter import as_list, as_mapping
from raptorflow.skills.signing.dsse import sign
from raptorflow.skills.signing.statement import PREDICATE, STATEMENT

VALUES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([None, True, False, 0, -1, 10**18, 1.5, "", "!!", "AAAA", "x" * 300, "../x", "\x1b[2J"]),
    st.sampled_from(
        [[], {}, [None], [[]], [{}], {"a": []}, {"a": {"b": []}}, {"$ref": "#"}, {"pattern": "("}]
    ),
    st.text(max_size=20),
)
Step = tuple[float, str, Any]
STEPS = st.lists(
    st.tuples(st.floats(0, 1), st.sampled_from(["replaced", "replaced", "removed", "doubled"]), VALUES),
    max_size=3,
)


def slots_of(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each place inside a JSON value: its table or list, and the key there."""
    table, listed = as_mapping(value), as_list(value)
    for key in [*(table or {}), *range(len(listed or []))]:
        yield value, key
        yield from slots_of(value[key])


def copied(value: Any) -> Any:
    return json.loads(json.dumps(value))


def changed(document: Any, steps: list[Step]) -> Any:
    """A copy of the document, changed at these places."""
    copy = copied(document)
    for place, how, value in steps:
        slots = list(slots_of(copy))
        if not slots:
            return copied(value)
        table, key = slots[min(int(place * len(slots)), len(slots) - 1)]
        if how == "removed":
            del table[key]
        elif how == "doubled" and isinstance(key, int):
            table.append(copied(table[key]))
        else:
            table[key] = copied(value)
    return copy


def written(document: Any) -> bytes:
    return json.dumps(document).encode()


def variants(document: Any) -> st.SearchStrategy[bytes]:
    """The document as it is, with other values at some places, or with other bytes."""
    whole = st.just(written(document))
    steps = STEPS.map(lambda steps: written(changed(document, steps)))
    return st.one_of(whole, steps, steps, steps, mutated(whole, ANY))


def packed(index: bytes, archives: list[bytes], method: int) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        archive.writestr("index.json", index)
        for number, content in enumerate(archives):
            archive.writestr(f"skills/{number:05}.skill", content)
    return target.getvalue()


ARCHIVE = pack_files("greet", {"SKILL.md": SKILL_MD, "zeros": bytes(30_000)}, ())
UNPACKED = unpack(ARCHIVE)
INDEX = {
    "format": 1,
    "skills": [
        {
            "name": f"acme/greet-{number}",
            "version": "1.0.0",
            "digest": tree_digest(UNPACKED.files, UNPACKED.executables),
            "archive": f"skills/{number:05}.skill",
        }
        for number in range(2)
    ],
}
METHODS = st.sampled_from(
    [zipfile.ZIP_STORED] * 6 + [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2]
)
SOUND = st.just([ARCHIVE, ARCHIVE])
DAMAGED = st.lists(st.just(ARCHIVE) | mutated(st.just(ARCHIVE), BINARY), min_size=1, max_size=3)
PACKED = st.builds(packed, variants(INDEX), SOUND | DAMAGED, METHODS)
WHOLE = st.builds(packed, st.just(written(INDEX)), SOUND, st.just(zipfile.ZIP_STORED))
EXPORTS = st.one_of(WHOLE, PACKED, mutated(WHOLE, BINARY), mutated(PACKED, BINARY))

SCHEMA = {"type": "object", "properties": {"a": {"$ref": "#/$defs/b"}}, "$defs": {"b": {"pattern": "^a+$"}}}
CASE = {
    "name": "one",
    "action": "go",
    "input": {"a": 1},
    "files": {"a": "SKILL.md"},
    "expect": {"output": {"a": [1]}, "contains": "x", "schema": SCHEMA},
    "artifacts": ["a.txt"],
    "seconds": 5,
}
GRADED = [
    {
        "id": 1,
        "prompt": "x",
        "expected_output": "y",
        "assertions": ["a", {"text": "b"}],
        "files": ["SKILL.md"],
    },
    {"question": "x", "ground_truth": "y", "expected_skill": "greet", "criteria": [{"description": "c"}]},
]
CASES = {
    "evals/actions.json": {"cases": [CASE, CASE | {"name": "two"}]},
    "evals/triggers.json": [{"query": "x", "should_trigger": True}],
    "evals/evals.json": {"evals": GRADED},
}
EVALS = st.sampled_from(sorted(CASES)).flatmap(
    lambda path: st.fixed_dictionaries({path: variants(CASES[path])})
)

SAID: dict[str, Any] = {
    "_type": STATEMENT,
    "subject": [{"name": "SKILL.md", "digest": {"sha256": file_digest(SKILL_MD)}}],
    "predicateType": PREDICATE,
    "predicate": {"skill": "greet", "version": "1.0.0", "digest": "x", "executables": []},
}
# Signed after the change, so that it gets past the signature.
ENVELOPES = variants(sign(written(SAID), KEY)) | variants(SAID).map(
    lambda said: written(sign(said or b" ", KEY))
)
BUNDLES = st.one_of(
    variants(bundle_of(written(listing()))),
    variants(listing()).map(lambda said: written(bundle_of(said or b" "))),
    mutated(st.just(CERTIFICATE), BINARY).map(lambda der: written(bundle_of(written(listing()), der))),
)
