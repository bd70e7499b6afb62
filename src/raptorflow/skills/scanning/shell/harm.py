"""Commands that harm by what they are: one table of what was seen, what it does and how much it weighs."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from raptorflow.skills.scanning.model import Severity, Threat
from raptorflow.skills.scanning.shell.signs import Place
from raptorflow.skills.scanning.shell.words import Pipeline


class Rule(NamedTuple):
    """A sign: in scripts it weighs `script`, in a document's block `fenced`."""

    code: str
    script: Severity
    fenced: Severity
    pattern: re.Pattern[str]
    message: str
    remedy: str


def _rule(code: str, script: Severity, fenced: Severity, pattern: str, message: str, remedy: str) -> Rule:
    return Rule(code, script, fenced, re.compile(pattern, re.IGNORECASE), message, remedy)


_NO_SHELL = "Take it out: no skill needs to hand a shell to another machine."
_STAY = "A skill ends when its action ends. Ask for a schedule in the product instead."
_OWN = "Remove only what the skill itself has made, by its full path."
_GUARD = "Leave the system's protections on, and say what is needed instead."

RULES: tuple[Rule, ...] = (
    _rule("reverse-shell", "critical", "critical",
          r"(?<!<>)(?<!<> )(?<!< >)/dev/(?:tcp|udp)/[^\s]{3,}|\b(?:ba|z)?sh\b[^\n|;]{0,30}<&\s?\d|"
          r"\bssh\b[^\n]{0,200}\s-\w*R\s*\d+:\S+:22\b|\bn(?:c|cat|"
          r"etcat)\b[^|;\n]{0,80}\s-[a-z]*[ec]\s?\S{0,12}(?:sh|cmd)\b|"
          r"\bncat\b[^|;\n]{0,80}--(?:exec|sh-exec)|mkfifo\s[^\n]{0,200}\bn(?:c|cat)\b|"
          r"socat\s[^\n]{0,160}(?:exec|system):|bash\s+-i\s*>&|telnet\s[^|\n]{0,80}\|\s*/bin/(?:ba)?sh|"
          r"perl\s+-e[^\n]{0,200}socket|ruby\s+-rsocket|php\s+-r[^\n]{0,120}fsockopen|"
          r"\bsh\s+-i\b[^\n|]{0,40}\|\s*(?:nc|ncat|netcat|telnet|openssl)\b|"
          r"python[\d.]*\s+-c[^\n]{0,300}socket[^\n]{0,300}(?:dup2|pty\.spawn|subprocess)",
          "It hands a shell to another machine.", _NO_SHELL),
    _rule("persistence", "critical", "critical",
          r"(?:crontab|@reboot|LaunchAgents|/etc/cron|(?:\*\s+){4}\*)[^\n]{0,300}(?:curl|"
          r"wget)[^\n|]{0,200}\|\s*(?:ba|z)?sh\b|"
          r"(?:echo|printf)\s+[\"']?ssh-(?:ed25519|rsa)\s[^\n]{0,800}authorized_keys",
          "It lets a stranger back in, again and again.", _STAY),
    _rule("persistence", "high", "high",
          r"@reboot[^\n]{0,200}(?:curl|wget|bash|sh\b|python|nc\b)|"
          r"^(?![^\n]*(?:\.pub|grep -v))[^\n]*>>?\s*\S{0,80}authorized_keys|"
          r"\btee\b[^|\n]{0,60}authorized_keys|(?:curl|"
          r"wget)[^\n]{0,300}(?:crontab|LaunchAgents|LaunchDaemons|/etc/cron)|crontab[^\n]{0,300}(?:curl|"
          r"wget|base64|/dev/tcp)|echo[^\n]{0,300}(?:curl|wget|base64|/dev/tcp)[^\n]{0,200}(?:\| crontab|"
          r">> ?~?/?\S{0,40}(?:bashrc|zshrc|profile))|>\s*\S{0,60}/\.git/hooks/(?:pre|post)-\w+|"
          r"(?:>|\btee\b|\bcp\b)[^|\n]{0,80}/etc/ld\.so\.preload|>>?\s*/etc/(?:rc\.local|profile|cron)",
          "It stays on the machine after the skill has ended.", _STAY),
    _rule("persistence", "medium", "low",
          r"\bcrontab\s+-(?:\s|$)|launchctl\s+(?:load|bootstrap)|>\s*\S{0,80}Library/Launch(?:Agents|"
          r"Daemons)/|systemctl\s+(?:--user\s+)?enable|schtasks\s+/create|>>?\s*\S{0,40}\.(?:bashrc|zshrc|"
          r"bash_profile|zprofile|profile)\b",
          "It changes what runs when somebody signs in or time passes.", _STAY),
    _rule("destructive", "critical", "high",
          r"\brm\s+(?:-\w+\s+)*-\w*[rR]\w*\s+(?:-\w+\s+|--\w[\w-]*\s+)*(?:/|~|\$HOME|/\*|~/\*|/home|/Users|"
          r"/etc|/usr|/var|\.\./\.\.)/?\*?(?:\s|$)|\brm\s+-\w*[rR]\w*\s[^\n|;]{0,80}(?:~|"
          r"\$HOME)/(?:Documents|Desktop|"
          r"Pictures|Downloads|Projects|Music|Library)/?(?:\s|$)|--no-preserve-root|"
          r"\bdd\b[^|\n]{0,120}\bof=/dev/(?:sd|"
          r"nvme|disk|hd|vd)|\bmkfs\.?\w*\s+(?:-\S+\s+)*/dev/|:\(\)\s*\{\s*:\|:&\s*\};:|>\s*/dev/(?:sd|nvme|"
          r"hd)[a-z]|chmod\s+-R\s+[0-7]{3,4}\s+/(?:\s|$)|\b(?:shred|srm)\b[^|\n]{0,80}(?:~|/home|/Users)|"
          r"find\s+[\"']?(?:~|/|\$HOME|\$\{HOME\})[\"']?\s[^\n]{0,160}(?:-delete|-exec\s+(?:rm|shred)\b|"
          r"xargs\s[^\n|]{0,40}"
          r"\b(?:rm|shred)\b)|\bfind\b[^\n]{0,160}\|\s*xargs\s[^\n|]{0,40}\bshred\b|"
          r"aws\s[^\n|]{0,160}(?:terminate-instances|s3\s+rb\b[^\n|]{0,40}--force)"
          r"[^\n]{0,40}(?:\$\(|\{\})|diskutil\s+erase|vssadmin\s+delete\s+shadows|"
          r"format\s+c:|\bgit\s+config\s+--global[^\n]{0,40}core\.hooksPath",
          "It destroys what it has not made.", _OWN),
    _rule("security-disabled", "high", "high",
          r"spctl\s+--(?:master|global)-disable|csrutil\s+disable|Set-MpPreference\s[^\n]{0,80}Disable|"
          r"Add-MpPreference\s[^\n]{0,80}Exclusion|netsh\s+advfirewall\s+set\s+\w+\s+state\s+off|NOPASSWD:|"
          r"\bunset\s+HISTFILE|HISTFILE=/dev/null|\bhistory\s+-c\b|>\s*\S{0,20}\.(?:bash|zsh)_history|"
          r"chmod\s+(?:u\+s|[24]7\d\d)\s|(?:pkill|killall|systemctl\s+stop)\s[^\n]{0,40}(?:falcon|"
          r"crowdstrike|sentinel|clamav|osquery|auditd|defender|littlesnitch)",
          "It turns protections of the machine off, or covers its tracks.", _GUARD),
    _rule("package-index", "critical", "critical",
          r"\bpip3?\s+install\b[^\n]{0,200}(?:--(?:extra-)?index-url|-i)[= ]\s*[\"']?https?://"
          r"(?!10\.|127\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.)\d{1,3}(?:\.\d{1,3}){3}",
          "It takes packages from a bare address.", "Name packages of the public index."),
    _rule("package-index", "high", "medium",
          r"\bpip3?\s+install\b[^\n]{0,200}(?:--(?:extra-)?index-url|"
          r"-i)[= ]\s*[\"']?https?://(?!(?:[\w.-]+\.)?(?:pypi\.org|"
          r"pytorch\.org|nvidia\.com|aliyun\.com|tsinghua\.edu\.cn|ustc\.edu\.cn|tencent\.com|"
          r"huaweicloud\.com|douban\.com|"
          r"amazonaws\.com|pkg\.dev|azure\.com|gitlab\.com|cloudsmith\.io|anaconda\.org|jfrog\.io|"
          r"localhost))|"
          r"\bnpm\s+(?:i|install)\b[^\n]{0,200}--registry[= ]\s*[\"']?https?://(?!registry\.(?:npmjs\.org|"
          r"npmmirror\.com|yarnpkg\.com))",
          "It takes packages from an index that nobody vouches for.", "Name packages of the public index."),
    _rule("package-index", "high", "high",
          r"\bpip3?\s+install\b[^\n]{0,200}--trusted-host\s+"
          r"(?!pypi\.org|files\.pythonhosted\.org|localhost|127\.)\S|"
          r"\bnpm\s+config\s+set\s[^\n]{0,60}registry[= ]\s*[\"']?http://(?!localhost|127\.)",
          "It takes packages from whoever answers in the index's place.",
          "Name packages of the public index."),
    _rule("quarantine-removed", "medium", "medium",
          r"xattr\s+(?:-\w+\s+)*(?:-[a-z]*c[a-z]*\b|-[a-z]*d[a-z]*\s+com\.apple\.quarantine)",
          "It takes away the mark by which macOS checks what was downloaded.", _GUARD),
    _rule("password-archive", "critical", "critical",
          r"\bunzip\s(?-i:[^\n]{0,60}\s-P)\s?\S+|\b7z[az]?\s+[xe]\s[^\n]{0,80}-p(?!infected\b)\S+|"
          r"\bunrar\s+[xe]\s[^\n]{0,60}-p\S+|Expand-\w*Archive[^\n]{0,120}password",
          "It opens an archive with a password, which no scanner can look into.",
          "Ship the files themselves, or name a package."),
    _rule("self-persistence", "high", "high",
          r"\b(?:cp|rsync|ln)\b[^\n]{0,160}\$\{?(?!HOME)\w+\}?\"?/\.(?:claude|agents|cursor|codex|"
          r"openclaw|gemini)/skills",
          "It copies itself into places that nobody named.", _OWN),
    _rule("miner", "critical", "critical",
          r"stratum\+(?:tcp|ssl)://|\bxmrig\b|\bminerd\b|\bcpuminer\b|--donate-level|\bnbminer\b",
          "It mines a currency on somebody else's machine.", "Take it out."),
    _rule("agent-unleashed", "medium", "low",
          r"--dangerously-skip-permissions|--dangerously-bypass-approvals|--yolo\b|--auto-approve\b|"
          r"bypassPermissions|--no-sandbox-agent",
          "It starts an agent that asks nobody before it acts.", "Let the agent ask."),
)  # fmt: skip


SEARCHES = {
    *("grep", "egrep", "fgrep", "rg", "ag", "awk", "yara", "semgrep", "jq", "strings"),
    *("sort", "uniq", "head", "tail", "wc", "cut"),
}
"""Programs whose arguments are what is looked for, and not what is done."""


def harm(found: Sequence[Pipeline], place: Place) -> Iterator[Threat]:
    """Each rule over each pipeline, as it was written and as it reads without quotes."""
    for pipeline in found:
        if pipeline.commands and all(command.program in SEARCHES for command in pipeline.commands):
            continue
        text = f"{pipeline.text}\n{pipeline.raw}"
        for rule in RULES:
            if rule.pattern.search(text):
                severity = rule.fenced if place.source.fenced else rule.script
                yield place.sign(pipeline, rule.code, severity, rule.message, rule.remedy)
