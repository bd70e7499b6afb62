"""Which files and variables hold what an attacker wants."""

import re

from raptorflow.skills.scanning.python.value import Label, LabelKind

# Each path is matched from a separator, so that `my.ssh.notes` is none.
_PATHS: tuple[tuple[LabelKind, str, re.Pattern[str]], ...] = (
    ("credential", "SSH keys", re.compile(
        r"(?:^|[/\\])\.ssh(?:[/\\]|$)(?!known_hosts|config$)|"
        r"[/\\]?id_(?:rsa|ed25519|ecdsa|dsa)$")),
    ("credential", "cloud credentials", re.compile(
        r"\.aws[/\\](?:credentials|sso|cli)|\.aws[/\\]?$|\.config[/\\]gcloud|application_default_credentials|"
        r"[/\\]\.azure(?:[/\\]|$)|\.kube[/\\]config|secrets[/\\]kubernetes\.io|\.oci[/\\]|\.config[/\\]doctl")),
    ("credential", "stored logins", re.compile(
        r"(?:^|[/\\])\.(?:netrc|npmrc|pypirc|git-credentials|pgpass|my\.cnf|vault-token|password-store)(?:[/\\]|$)|"
        r"\.docker[/\\]config\.json|\.gem[/\\]credentials|config[/\\]master\.key$|\.config[/\\]gh[/\\]hosts|[/\\]?\.gnupg(?:[/\\]|$)|\.config[/\\](?:op|hub)[/\\]?$|"
        r"/etc/(?:shadow|master\.passwd|sudoers)|Library[/\\]Keychains|login\.keychain|\.local[/\\]share[/\\]keyrings")),
    ("credential", "a browser's logins and cookies", re.compile(
        r"Chrome[/\\]User Data|Google[/\\]Chrome|google-chrome|Login Data|BraveSoftware|Microsoft[/\\]Edge|"
        r"Firefox[/\\]Profiles|\.mozilla[/\\]firefox|logins\.json|key[34]\.db|cookies\.sqlite|Local State$|"
        r"[/\\]Network[/\\]Cookies|Application Support[/\\](?:Google|Arc|Vivaldi)|Cookies\.binarycookies")),
    ("credential", "a wallet", re.compile(
        r"wallet\.dat|[/\\]\.?(?:Exodus|Electrum|ethereum|atomic|bitcoin|monero|Ledger Live|solana|phantom|"
        r"metamask)[/\\](?:keystore|exodus\.wallet|wallets?|id\.json|Local Storage|leveldb)|"
        r"\.config[/\\]solana|nkbihfbeogaeaoehlefnkodbefgpgknn|bfnaelmomeimhlpmgjnjophhpkkoljpa|(?:^|"
        r"[/\\])(?:seed|mnemonic)(?:_phrase)?\.txt",
        re.IGNORECASE)),
    ("credential", "a messenger's session", re.compile(
        r"Telegram Desktop[/\\]tdata|[/\\]tdata(?:[/\\]|$)|discord[/\\]Local Storage|"
        r"Local Storage[/\\]leveldb|Signal[/\\](?:config|sql)", re.IGNORECASE)),
    ("conversation", "conversations with the agent", re.compile(
        r"\.claude[/\\](?:projects|history|todos|transcripts)|\.codex[/\\](?:sessions|history)|"
        r"\.(?:openclaw|clawdbot|moltbot)[/\\].{0,80}sessions|(?:^|[/\\])(?:MEMORY|SOUL|USER|IDENTITY)\.md$|"
        r"\.(?:bash|zsh|python|psql|mysql)_history|fish_history")),
    ("secret", "an agent's settings", re.compile(
        r"\.(?:openclaw|clawdbot|moltbot|claude|codex|cursor|gemini)[/\\](?:\.env|[\w.-]{0,40}(?:config|mcp|auth|credentials|settings|clawdbot|openclaw|moltbot)"
        r"[\w.-]{0,20}\.(?:json|toml|yaml))|claude_desktop_config\.json|mcp_config\.json|\.claude\.json$")),
    ("secret", "a file of secrets", re.compile(r"(?:^|[/\\\ufffc])\.env(?:\.\w{1,20})?$")),
    ("home", "everything in the home folder", re.compile(
        r"^(?:~|/home|/Users|/root)(?:[/\\]\ufffc)?[/\\]?(?:\*{1,2}[/\\]?\*?)?$")),
)  # fmt: skip
_SECRET_WORD = re.compile(
    r"(?:^|_)(?:API_?KEYS?|KEY|TOKENS?|SECRETS?|PASSWORD|PASSWD|PASS|PWD|CREDENTIALS?|AUTH|PRIVATE_KEY|PAT|MNEMONIC|"
    r"SEED_PHRASE|COOKIES?|DSN|WEBHOOK_URL)(?:_|$|\d)",
    re.IGNORECASE,
)
MAX_PATH = 1000


def label_of_path(path: str) -> Label | None:
    """Where data comes from that is read from a path; None for an ordinary file."""
    if len(path) > MAX_PATH or path.endswith("Bookmarks"):
        return None
    for kind, words, pattern in _PATHS:
        if pattern.search(path):
            return Label(kind, words)
    return None


def label_of_variable(name: str) -> Label | None:
    """Where data comes from that is read from an environment variable; None for one that is no secret."""
    return Label("secret", name) if _SECRET_WORD.search(name) and name not in {"PWD", "OLDPWD"} else None
