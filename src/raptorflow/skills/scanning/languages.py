"""Which language a file is in: by its name, then by its first line."""

import re
from collections.abc import Mapping

from raptorflow.skills.scanning.subject import Language

_BY_SUFFIX: Mapping[str, Language] = {
    **dict.fromkeys(("md", "markdown", "mdx", "mdc"), "markdown"),
    **dict.fromkeys(("py", "pyw", "pyi", "pth"), "python"),
    **dict.fromkeys(("sh", "bash", "zsh", "ksh", "command", "fish", "bashrc", "zshrc", "profile"), "shell"),
    **dict.fromkeys(("ps1", "psm1", "bat", "cmd"), "shell"),
    **dict.fromkeys(("js", "mjs", "cjs", "jsx", "ts", "mts", "cts", "tsx"), "javascript"),
}
_BY_NAME: Mapping[str, Language] = {"makefile": "shell", "justfile": "shell", "dockerfile": "shell"}
_BY_FENCE: Mapping[str, Language] = {
    **dict.fromkeys(("python", "py", "python3", "python2", "ipython"), "python"),
    **dict.fromkeys(
        (
            "bash",
            "sh",
            "shell",
            "zsh",
            "console",
            "terminal",
            "shell-session",
            "shellsession",
            "fish",
            "powershell",
            "ps1",
            "pwsh",
            "bat",
            "batch",
            "cmd",
        ),
        "shell",
    ),
    **dict.fromkeys(
        ("javascript", "js", "node", "typescript", "ts", "jsx", "tsx", "mjs", "cjs"), "javascript"
    ),
}
_SHEBANGS: tuple[tuple[re.Pattern[str], Language], ...] = (
    (re.compile(r"#![^\n]{0,200}\bpython"), "python"),
    (re.compile(r"#![^\n]{0,200}\b(?:uv run|pypy)"), "python"),
    (re.compile(r"#![^\n]{0,200}\b(?:ba|z|k|da|fi)?sh\b"), "shell"),
    (re.compile(r"#![^\n]{0,200}\b(?:node|deno|bun)\b"), "javascript"),
)


# Languages that no detector reads as a tree.
_OTHER_CODE = re.compile(
    r"\.(?:go|rb|pl|pm|php|rs|java|kt|swift|lua|cs|c|cc|cpp|m|applescript|scpt|vbs|r|jl|ex|exs|dart|scala|"
    r"groovy|tcl|awk|nim|zig|ahk)$",
    re.IGNORECASE,
)


def is_code(path: str, language: Language) -> bool:
    """Whether a file is code, be it in a language that no detector reads."""
    return language in {"python", "javascript", "shell"} or bool(_OTHER_CODE.search(path))


def language_of(path: str, text: str) -> Language:
    """The language of a file; `text` for what no detector of code reads."""
    name = path.rpartition("/")[2].lower()
    _, dot, suffix = name.rpartition(".")
    by_name = (_BY_SUFFIX if dot else _BY_NAME).get(suffix if dot else name)
    if by_name:
        return by_name
    for shebang, language in _SHEBANGS:
        if shebang.match(text):
            return language
    return "text"


def language_of_block(info: str, text: str) -> Language:
    """The language of a fenced block; a block that does not say is read as shell when it looks like it."""
    if info:
        return _BY_FENCE.get(info, "text")
    return "shell" if _LIKE_SHELL.search(text) else "text"


_LIKE_SHELL = re.compile(
    r"^\s{0,20}(?:[$%#>] ?)?(?:sudo|curl|wget|bash|sh|echo|export|eval|source|python3?|node|npx|pip3?|npm"
    r"|brew|chmod|unzip|cat|rm|git|osascript|base64|nc|powershell)\s",
    re.MULTILINE,
)
