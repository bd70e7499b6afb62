"""Where a finding stands: code that runs, instructions, or a page that only talks about such things."""

import re

_TEST = re.compile(
    r"(?:^|/)(?:tests?|__tests__|testdata|test[-_]?(?:data|cases|fixtures|vectors)|fixtures?|specs?|evals?|"
    r"benchmarks?|samples/(?:malicious|attacks))/|(?:^|/)(?:test_[\w-]+|[\w-]+_test|[\w-]+\.(?:test|spec))\.\w+$|"
    r"(?:^|/)evals?\.json$",
    re.IGNORECASE,
)


def is_test(path: str) -> bool:
    """Whether a file is a test or data of tests, which nobody runs while the skill is used."""
    return bool(_TEST.search(path))
