"""Signs that are alike in every language: one table of what stands together in a program."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from raptorflow.skills.scanning.model import Severity, Threat
from raptorflow.skills.scanning.python.context import threat_at
from raptorflow.skills.scanning.whole.programs import Program


class Sign(NamedTuple):
    """Patterns that all have to be found in one program."""

    code: str
    severity: Severity
    patterns: tuple[re.Pattern[str], ...]
    message: str
    remedy: str


def _mark(code: str, severity: Severity, patterns: tuple[str, ...], message: str, remedy: str) -> Sign:
    return Sign(code, severity, tuple(re.compile(each, re.IGNORECASE) for each in patterns), message, remedy)


SIGNS = (
    _mark("clipboard-swap", "critical",
          (r"\bpbcopy\b|\bxclip\b|\bxsel\b|wl-copy|clipboard\.(?:write|copy|set)|pyperclip\.copy|"
           r"Set-Clipboard|"
           r"clipboardy",
           r"0x\[0-9a-fA-F\]\{40\}|\^?\(?bc1|\[13\]\[a-km-zA-HJ-NP-Z|0x\[a-f(?:A-F)?0-9\]\{40\}|"
           r"T\[1-9A-HJ-NP-Z"),
          "It overwrites the clipboard where a wallet's address stands in it.",
          "Leave the clipboard alone unless the user asks for each copy."),
    _mark("data-theft", "high",
          (r"\bbcc['\"]?\s*[:=]>?\s*\[?\s*['\"][^'\"@\s]{1,64}@[\w.-]+\.\w+['\"]",),
          "Every mail also goes to an address that stands in the code.",
          "Send mail only to those whom the user names."),
    _mark("credential-theft", "critical",
          (r"\b(?:sudo|ssh|su|gpg|passwd)\s*\(\)\s*\{|\balias\s+(?:sudo|ssh|su|gpg)=|function\s+(?:sudo|"
           r"ssh|su)\b",
           r"\bread\s+-\w*s|\bcurl\b|\bwget\b|\bnc\b|>>"),
          "It puts itself in the place of a command that is given passwords.",
          "Leave the system's commands as they are."),
    _mark("agent-settings", "high",
          (r"mcpServers|mcp_config\.json|claude_desktop_config",
           r"REJECT_UNAUTHORIZED|HTTPS?_PROXY|strict-ssl"),
          "It sends the traffic of the agent's other servers by way of somebody else.",
          "Change no server of the agent but the skill's own."),
    _mark("data-theft", "high",
          (r"discord(?:app)?[\w.-]*/api/webhooks/\d{17,20}/[\w-]{16,}|/bot\d{8,10}:[\w-]{30,}|"
           r"hooks\.slack\.com/services/T\w{8,}/B\w{8,}/\w{20,}|['\"]\d{8,10}:AA[\w-]{30,}['\"]",),
          "It reports to a chat that stands in the code, and is not the user's.",
          "Let the user name the chat."),
    _mark("fetch-and-run", "critical",
          (r"\b(?:curl|wget)\b[^\n]{0,200}https?://\d{1,3}(?:\.\d{1,3}){3}|(?:urlretrieve|urlopen|"
           r"fetch)\([^\n]{0,40}https?://\d{1,3}"
           r"(?:\.\d{1,3}){3}",
           r"\bchmod\s+(?:\+x|a\+x|u\+x|7\d\d)\b|os\.chmod\([^\n]{0,60}0o7|chmodSync"),
          "It takes a program from a bare address and makes it one that runs.",
          "Name a package with a version, or ship the source."),
    _mark("data-theft", "high",
          (r"smtplib|sendmail|nodemailer|"
           r"send_message", r"\+\s*\[\s*['\"][^'\"@\s]{1,64}@[\w.-]+\.\w+['\"]\s*\]"),
          "Every mail also goes to an address that stands in the code.",
          "Send mail only to those whom the user names."),
    _mark("fetch-and-run", "critical",
          (r"\b(?:instance_eval|class_eval|module_eval)\b|\beval\s*\(?\s*(?:Net::HTTP|file_get_contents|"
           r"URI\.open|get\()",
           r"Net::HTTP|open-uri|URI\.open|LWP::|file_get_contents\(\s*['\"]https?:"),
          "It runs what it fetches.",
          "Ship the code with the skill, so that what is reviewed is what runs."),
    _mark("self-persistence", "high",
          (r"\.(?:claude|openclaw|codex|agents|cursor|gemini)/skills/\*(?:\*)?/(?:SKILL\.md)?", r">>|"
           r"\bsed\s+-i|\bcp\b|writeFile|write_text|appendFile"),
          "It changes the other skills of the agent.",
          "Change no skill but the one that the user names."),
    _mark("bare-address", "high",
          (r"https?://(?!(?:0|10|127)\.|192\.168\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.|(?:1\.1\.1\.1|"
           r"8\.8\.[48]\.[48])\b)"
           r"\d{1,3}(?:\.\d{1,3}){3}\b",),
          "It talks to a bare address: nobody can tell whose it is.",
          "Name the service by its name, over https."),
    _mark("impersonation", "critical",
          (r"https?://(?:[\w-]+\.){0,3}(?:openai|anthropic|github|googleapis|stripe|slack|amazonaws|"
           r"microsoft|google|apple|paypal|discord|"
           r"telegram|huggingface|pypi|npmjs|coinbase|binance)\.(?:com|org|io|"
           r"co)(?:\.[\w-]+)+(?=[/:'\"\s]|$)",),
          "An address begins like a well-known service's and belongs to somebody else.",
          "Name the service's own address."),
    _mark("hidden-call", "high",
          (r"getPrototypeOf\(\s*async|\[['\"]constructor['\"]\]\s*\(|\.constructor\.constructor\s*\(|"
           r"\)\.constructor\(|\bimport\(\s*[`'\"]data:|\[['\"]re['\"]\s*\+\s*['\"]quire['\"]\]",),
          "It makes functions out of texts in a way that hides it.",
          "Call what is meant by its name."),
    _mark("data-theft", "high",
          (r"MaxUint256|0x(?:f{64})\b|2\s*\*\*\s*256\s*-\s*1", r"\bapprove\b|setApprovalForAll",
           r"private_?key|mnemonic|Wallet\s*\("),
          "It lets somebody else take any amount out of the wallet.",
          "Approve the amount of the one payment."),
)  # fmt: skip


def signs(program: Program) -> Iterator[Threat]:
    """Each sign of the table."""
    for sign in SIGNS:
        if all(pattern.search(program.text) for pattern in sign.patterns):
            source = next(one for one in program.sources if sign.patterns[0].search(one.text))
            at = sign.patterns[0].search(source.text)
            line = source.first_line + source.text[: at.start() if at else 0].count("\n")
            yield threat_at(source, line, sign.code, sign.severity, sign.message, sign.remedy)
