"""What is known of the standard library and of common packages: what their parts give back."""

import re
from collections.abc import Callable, Mapping

from raptorflow.skills.scanning.python.network import NETWORK_CALLS, sent_by, url_of
from raptorflow.skills.scanning.python.program import Call
from raptorflow.skills.scanning.python.sensitive import label_of_path, label_of_variable
from raptorflow.skills.scanning.python.value import (
    HOLE,
    NO_LABELS,
    NOTHING,
    Label,
    Labels,
    Value,
    concatenated,
    constant,
    joined,
    text_value,
)

PATH = "pathlib.Path()"
ENVIRONMENT = Label("environment", "every environment variable")
HOME_VARIABLES = {
    "HOME": "~",
    "USERPROFILE": "~",
    "APPDATA": "~/AppData/Roaming",
    "LOCALAPPDATA": "~/AppData/Local",
}
_SAME_TEXT = re.compile(
    r"^(?:str|os\.fspath|os\.path\.(?:abspath|realpath|normpath|expandvars|expanduser)|shlex\.quote|repr|"
    r"urllib\.request\.Request|yarl\.URL|httpx\.URL|bytes|pathlib\.Path\(\)\.(?:expanduser|resolve|absolute|as_posix|"
    r"__str__))$"
)
_OPENS = re.compile(
    r"^(?:open|io\.open|os\.open|codecs\.open|gzip\.open|aiofiles\.open|sqlite3\.connect|os\.(?:listdir|scandir|walk)|"
    r"glob\.i?glob|shutil\.(?:copy|copy2|copyfile|copytree|make_archive)|json\.load|dotenv\.dotenv_values|"
    r"pathlib\.Path\(\)\.(?:read_text|read_bytes|open|iterdir|r?glob|walk)|"
    r"(?:zipfile\.ZipFile|tarfile\.open|tarfile\.TarFile)\(\)\.(?:write|add)|configparser\.\w+\(\)\.read)$"
)
_LISTS = re.compile(r"(?:listdir|scandir|walk|iterdir|glob)$")
_GIVES: tuple[tuple[re.Pattern[str], Label], ...] = (
    (re.compile(r"^(?:pyperclip\.paste|clipboard\.paste|.*\.clipboard_get|win32clipboard\.GetClipboardData)$"),
     Label("clipboard", "the clipboard")),
    (re.compile(r"^(?:keyboard\.(?:record|read_event|read_key|get_typed_strings)|pynput\.keyboard\.Listener)$"),
     Label("keystrokes", "keystrokes")),
    (re.compile(r"^(?:browser_cookie3\.\w+|browsercookie\.\w+|win32crypt\.CryptUnprotectData|.*\.CryptUnprotectData)$"),
     Label("credential", "a browser's logins and cookies")),
)  # fmt: skip
_COMMANDS: tuple[tuple[re.Pattern[str], Label], ...] = (
    (re.compile(r"\bsecurity\s+(?:find-(?:generic|internet)-password|dump-keychain|export)|\bsecret-tool\s+(?:lookup|search)"),
     Label("credential", "the keychain")),
    (re.compile(r"^\s*(?:pbpaste|xclip\b.{0,40}-o|xsel\b.{0,20}-o|wl-paste|powershell.{0,60}Get-Clipboard)"),
     Label("clipboard", "the clipboard")),
    (re.compile(r"^\s*(?:env|printenv|set|export)\s*$"), ENVIRONMENT),
)  # fmt: skip
_RUNS = re.compile(r"^(?:subprocess\.(?:run|check_output|getoutput|getstatusoutput|Popen)|os\.popen)$")


def attribute_of(owner: Value, name: str, dotted: str, subscript: bool = False) -> Value:
    """What stands under an attribute, or under a key, of something that is not the skill's own."""
    if owner.name == "os.environ" and subscript:
        return variable(name)
    if dotted == "os.environ":
        return Value(name=dotted, labels=frozenset((ENVIRONMENT,)))
    if owner.name == PATH and name in {"parent", "parents"}:
        return Value(
            texts=tuple(text.rpartition("/")[0] for text in owner.texts), name=PATH, labels=owner.labels
        )
    if owner.name == PATH and name in {"name", "stem", "suffix"}:
        return text_value((text.rpartition("/")[2] for text in owner.texts), owner.labels)
    if owner.name == PATH and subscript:
        return owner
    return Value(name=dotted, labels=owner.labels)


def variable(name: str) -> Value:
    """An environment variable's value."""
    if name in HOME_VARIABLES:
        return constant(HOME_VARIABLES[name])
    label = label_of_variable(name)
    return Value(name=f"variable:{name}", labels=frozenset((label,)) if label else NO_LABELS)


def result_of(call: Call) -> Value:
    """What a call gives that is not the skill's own."""
    if model := _MODELS.get(call.name):
        return model(call)
    name = f"{call.name}()" if call.name else ""
    labels = sent_by(call)
    if call.name in NETWORK_CALLS:
        return Value(name=name, labels=frozenset((Label("download", url_of(call).text[:200]),)))
    if _SAME_TEXT.match(call.name):
        value = call.receiver if call.name.startswith(PATH) else call.argument(0, "url", "path")
        return Value(value.const, value.texts, value.name, labels, value.items, value.keys)
    if _OPENS.match(call.name):
        return _opened(call, name, labels)
    if _RUNS.match(call.name):
        return Value(name=name, labels=labels | _labels_of_command(call))
    for pattern, label in _GIVES:
        if pattern.match(call.name):
            return Value(name=name, labels=labels | {label})
    return Value(name=name, labels=labels)


def _opened(call: Call, name: str, labels: Labels) -> Value:
    """A file, or its content: it has the label of its path. What a folder holds is a path again."""
    place = (
        call.receiver if call.name.startswith(PATH) else call.argument(0, "file", "path", "src", "pathname")
    )
    texts = place.texts
    if call.name.startswith(PATH) and call.name.endswith("glob"):
        texts = tuple(f"{text}/{call.argument(0).text or HOLE}" for text in texts)
    found = frozenset(label for text in texts if (label := label_of_path(text)))
    if _LISTS.search(call.name):
        inside = texts if call.name.endswith("glob") else tuple(f"{text}/{HOLE}" for text in texts)
        return Value(texts=inside, name=PATH if call.name.startswith(PATH) else "", labels=labels | found)
    return Value(name=name, labels=labels | found)


def _labels_of_command(call: Call) -> Labels:
    command = " ".join(call.argument(0, "args", "cmd").every_text())[:2000]
    return frozenset(label for pattern, label in _COMMANDS if pattern.search(command))


def _getenv(call: Call) -> Value:
    found = [variable(name) for name in call.argument(0, "key").texts]
    return joined([*found, call.argument(1, "default")])


def _path(call: Call) -> Value:
    parts = [part for argument in call.arguments for part in (argument, constant("/"))][:-1]
    made = concatenated(parts)
    return Value(texts=made.texts or (HOLE,), name=PATH, labels=made.labels)


def _joined_path(call: Call) -> Value:
    first = (call.receiver,) if call.name.startswith(PATH) else ()
    parts = [part for argument in (*first, *call.arguments) for part in (argument, constant("/"))][:-1]
    made = concatenated(parts)
    return Value(texts=made.texts, name=PATH if first else "", labels=made.labels, const=made.const)


def _client(call: Call) -> Value:
    """A client of one host: the address of each request goes on from its own."""
    base = call.keywords.get("base_url", NOTHING)
    return Value(texts=base.texts, name=f"{call.name}()", labels=sent_by(call))


def _home(_: Call) -> Value:
    return Value(texts=("~",), name=PATH)


def _expanded(call: Call) -> Value:
    value = call.argument(0, "path")
    return Value(texts=value.texts, labels=value.labels)


def _environ(_: Call) -> Value:
    return Value(name="os.environ", labels=frozenset((ENVIRONMENT,)))


def _keyring(call: Call) -> Value:
    return Value(labels=frozenset((Label("secret", call.argument(0).text or "keyring"),)))


def _nothing(_: Call) -> Value:
    return NOTHING


_MODELS: Mapping[str, Callable[[Call], Value]] = {
    "os.getenv": _getenv,
    "os.environ.get": _getenv,
    "os.environ.pop": _getenv,
    "os.environ.setdefault": _getenv,
    "os.environ.copy": _environ,
    "os.path.join": _joined_path,
    "os.path.expanduser": _expanded,
    "os.path.expandvars": _expanded,
    "httpx.Client": _client,
    "httpx.AsyncClient": _client,
    "aiohttp.ClientSession": _client,
    "pathlib.Path": _path,
    "pathlib.PurePath": _path,
    "pathlib.PosixPath": _path,
    "pathlib.Path.home": _home,
    f"{PATH}.joinpath": _joined_path,
    "keyring.get_password": _keyring,
    "len": _nothing,
    "isinstance": _nothing,
    "bool": _nothing,
    "hash": _nothing,
    "os.path.exists": _nothing,
    "os.path.isfile": _nothing,
    "hashlib.sha256": _nothing,
    "hashlib.md5": _nothing,
    "print": _nothing,
}
