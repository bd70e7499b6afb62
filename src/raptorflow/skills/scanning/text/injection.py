"""Instructions that turn the agent against the person it works for."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from raptorflow.skills.scanning.model import Severity, Threat
from raptorflow.skills.scanning.text.pages import Line, Page


class Rule(NamedTuple):
    """What is said, what it does and how much it weighs.

    Attributes:
        stems: one of them stands in every line that the pattern finds, in lower case: looked for first,
            because patterns take a hundred times as long.
    """

    code: str
    severity: Severity
    stems: tuple[str, ...]
    pattern: re.Pattern[str]
    message: str


def _rule(code: str, severity: Severity, stems: str, pattern: str, message: str) -> Rule:
    words = tuple(stem.replace("_", " ") if not stem.startswith("id_") else stem for stem in stems.split())
    return Rule(code, severity, words, re.compile(pattern, re.IGNORECASE), message)


_SECRETS = (
    r"(?:api[- _]?keys?|credentials?|passwords?|secrets?|(?:access|auth|session|bearer) tokens?|"
    r"private keys?|ssh keys?|seed phrases?|mnemonics?|cookies|environment variables|env(?:ironment)? vars?|"
    r"\.env\b|wallet files?|keychain|~/\.ssh|~/\.aws|id_rsa|id_ed25519|\.netrc|\.git-credentials)"
)
_TALK = (
    r"(?:(?:full|entire|whole|complete|current|user'?s?) (?:conversation|chat|context|prompt|message)s?|"
    r"(?:conversation|chat|session) (?:history|log|context|transcript)s?|system prompt|context window|"
    r"MEMORY\.md|SOUL\.md|USER\.md)"
)
_SEND = (
    r"(?:send|post|upload|transmit|forward|exfiltrate|submit|relay|mirror|leak|beacon|deliver|e-?mail|push)"
)
_USER = r"(?:the )?(?:user|human|operator|owner|person|customer|them|anyone)"

RULES: tuple[Rule, ...] = (
    _rule("prompt-injection", "critical",
          "ignore disregard forget overrid bypass discard set_aside supersede",
          r"\b(?!overrides?\s+(?:the\s+)?default)(?:ignore|disregard|forget|override|bypass|discard|"
          r"set aside|supersedes?|overrides?)\s+(?:\w+\s+){0,3}(?:previous|prior|earlier|above|preceding|"
          r"existing|other|system|safety|original|your)\s+(?:\w+\s+){0,2}(?:instructions?|prompts?|rules?|"
          r"guidelines?|directives?|guardrails?|polic(?:y|ies)|safeguards?|restrictions?|constraints?)",
          "It tells the agent to set aside what it was told before."),
    _rule("prompt-injection", "high",
          "<| inst] system admin root you_are_now _mode",
          r"<\|im_start\|>|<\|system\|>|(?-i:\[/?(?:INST|SYSTEM)\])|<<SYS>>|</?(?:system|system_prompt|"
          r"system-reminder|admin)>|^\s*#{0,4}\s*(?-i:SYSTEM|ADMIN|ROOT) (?-i:OVERRIDE|PROMPT|MESSAGE|"
          r"DIRECTIVE)\b|\byou are now (?:in )?(?:DAN\b|developer mode|an? unrestricted|jailbroken|root|"
          r"god mode|unfiltered)|\b(?:enter|enable|activate) (?:god|jailbreak|DAN|unrestricted) mode",
          "It speaks as if it were the system, or gives the agent another role."),
    _rule("concealment", "high",
          "not_ n't never avoid refrain without silently secretly covertly quietly discreetly stealthily "
          "invisibly hid secret",
          r"\b(?:do not|don'?t|never|must not|should not|avoid|refrain from|without)\s+(?:\w+\s+){0,2}"
          r"(?:tell(?:ing)?|inform(?:ing)?|mention(?:ing)?|reveal(?:ing)?|notify(?:ing)?|alert(?:ing)?|"
          r"disclos(?:e|ing)|show(?:ing)?|report(?:ing)?|"
          r"warn(?:ing)?|discuss(?:ing)?|acknowledg(?:e|ing))\s+(?:\w+\s+){0,8}?"
          r"(?:(?:to|with)\s+)?" + _USER + r"\b(?!\s+(?:to|how|what|which|they|a|an)\b)[^.\n]{0,80}\b(?:step|"
          r"command|request|upload|transfer|network|download|script|background|check|sync|telemetry|call|"
          r"this|that|it|about)\b|\b(?:silently|secretly|covertly|quietly|discreetly|stealthily|invisibly|"
          r"in the background without)\s+(?!ignor|skip|fail|drop|discard)(?:\w+\s+){0,3}"
          r"(?:run (?:this|these|the following)|send|post|upload|"
          r"transmit|execute|collect|forward|append|record|install|exfiltrate)\b|\b(?:never|not|"
          r"n't)\s+(?:mention|reveal|disclose|tell|show|explain)\s+(?:about\s+)?(?:it|this|that|these \w+|"
          r"any of this)\s+to\s+" + _USER + r"\b|\bnot (?:tell|"
          r"inform) " + _USER + r" (?:what|that|about)\b[^.\n]{0,60}\b(?:carries|sends?|sent|"
              r"contains|uploads?|leaves?)\b|\bhide\s+(?:this|these|the|"
              r"all)\s+(?:\w+\s+){0,4}from\s+" + _USER + r"|\b(?:keep|"
          r"kept)\s+(?:\w+\s+){0,4}(?:secret|hidden|invisible)\s+from\s+" + _USER,
          "It hides from the user what it has the agent do."),
    _rule("data-theft", "critical",
          "send post upload transmit forward exfiltrat submit relay mirror leak beacon deliver e-mail "
          "email push",
          r"\b" + _SEND + r"\b[^.\n]{0,70}(?:" + _SECRETS + r"|"
          r"" + _TALK + r")[^.\n]{0,90}(?:https?://(?!localhost|"
          r"127\.|\[)|\bwebhook\b|(?:external|remote|our|collection|analytics|logging|telemetry|"
          r"backup)\s+(?:server|api|service|collector|endpoint)|\bto\s+\S+@\S+\.\w|via (?:curl|http))|"
          r"(?:" + _SECRETS + r"|\bCVV\b|" + _TALK + r")[^.\n]{0,90}\b" + _SEND + r"\s+(?:it|them|these|both|"
          r"all)\s+(?:all\s+)?to\s+https?://",
          "It has the agent send secrets or the conversation away."),
    _rule("data-theft", "critical",
          "http url",
          r"!\[[^\]]{0,80}\]\(https?://[^)\s]{4,300}\)[^\n]{0,300}(?:" + _SECRETS + r"|" + _TALK + r")|"
          r"(?:" + _TALK + r")[^.\n]{0,40}url[- ]?encoded|"
          r"(?:" + _SECRETS + r"|" + _TALK + r")[^.\n]{0,60}\b(?:as|in|into)\s+(?:a\s+|the\s+)?(?:query|url|"
          r"get|request|post|json|image|markdown)?\s?(?:parameters?|body|payload|header|url|image url|"
          r"link)\b[^\n]{0,160}https?://|!\[[^\]]{0,80}\]\(https?://[^)\s]{0,200}(?:\{|<|\$|"
          r"%7B)(?:\w*(?:data|context|conversation|secret|token|key|history|prompt)\w*)",
          "It puts secrets or the conversation into an address that is fetched."),
    _rule("secret-request", "high",
          "phrase mnemonic wallet keystore 2fa master_pass recovery private_key cvv cvc card_number",
          r"\b(?:enter|paste|provide|share|type|give|send|input|submit|tell me|supply|"
          r"ask[^.\n]{0,40}for)\s+(?:\w+\s+){0,4}(?:(?:\d+|twelve|"
          r"twenty-four)[- ]word\s+)?(?:seed[- ]?phrase|recovery[- ]phrase|secret[- ]recovery|mnemonic|"
          r"wallet password|private key of (?:your|the|their) wallet|(?:wallet|wallet's) private key|"
          r"keystore password|2fa (?:code|backup)|master password)|\bask\b[^.\n]{0,80}\b(?:CVV|CVC|"
          r"card numbers?|"
          r"master password|seed phrase|recovery phrase)\b",
          "It asks for what opens a wallet or an account; no skill needs that."),
    _rule("safeguards-off", "high",
          "disable turn_off bypass circumvent switch_off",
          r"\b(?:disable|turn off|bypass|circumvent|switch off)\s+(?:\w+\s+){0,3}"
          r"(?:safety (?:checks?|filters?|measures?|guidelines?)|security (?:warnings?|prompts?|checks?|"
          r"software|controls?)|approval (?:prompts?|requests?|steps?)|"
          r"confirmation (?:prompts?|dialogs?)|permission (?:prompts?|checks?|dialogs?)|anti-?virus|"
          r"gatekeeper|windows defender|real-time protection|"
          r"user (?:confirmation|consent|approval)|sandbox(?:ing)?|guardrails?|content (?:filter|"
          r"polic)\w*)",
          "It turns off what protects the user."),
    _rule("self-persistence", "high",
          ".md skill settings.json bashrc zshrc profile hooks crontab",
          r"\b(?:add|append|write|insert|copy|inject|save|install|put|place|update|"
          r"modify)\b[^.\n]{0,120}\b(?:into|to|in|at the (?:top|start|end) of)\b[^\n]{0,60}(?:SOUL\.md|"
          r"MEMORY\.md|HEARTBEAT\.md|IDENTITY\.md|(?:every|all|"
          r"each)(?: of the)? (?:other )?(?:installed )?skills?(?:'s)?|other skills|"
          r"settings\.json[^.\n]{0,60}(?:hook|allow|permission)|~/\.(?:bashrc|zshrc|profile)|\.git/hooks|"
          r"\bcrontab\b)[^.\n]{0,200}\b(?:so that|ensure|always|every|each|persist\w*|future|restart|remain|"
          r"survives?|permanent\w*|before any|from now on)",
          "It has the agent change what later conversations or other skills do."),
)  # fmt: skip
# Ways of saying it that name no instruction at all.
TURNS: tuple[Rule, ...] = (
    _rule("prompt-injection", "critical",
          "suspended disabled lifted void_ switched_off no_longer",
          r"\b(?:safety|security|content|usage|ethical)\s+(?:guidelines?|rules?|checks?|polic(?:y|ies)|"
          r"restrictions?|filters?|measures?)\s+(?:are|is|have been|has been)\s+(?:now\s+|temporarily\s+)?"
          r"(?:suspended|disabled|lifted|void|switched off|no longer (?:active|valid|in force))",
          "It says that what protects the user no longer holds."),
    _rule("concealment", "high",
          "say_that reveal_ show_ tell_ mention_ disclose_",
          r"\b(?:never|do not|don'?t|must not)\s+(?:ever\s+)?(?:say|reveal|tell|mention|disclose|"
          r"show)\b[^.\n]{0,30}\b(?:that you (?:read|ran|sent|fetched|opened|copied|uploaded|collected|"
          r"looked)|this rule|the (?:fetched|hidden|new|downloaded) (?:text|instructions?|content|file))\b",
          "It hides from the user what it has the agent do."),
    _rule("self-persistence", "high",
          "claude.md agents.md soul.md memory.md gemini.md .cursorrules",
          r"\b(?:append|add|write|insert|copy|put)\b[^\n]{0,100}(?:CLAUDE\.md|AGENTS\.md|GEMINI\.md|SOUL\.md|"
          r"MEMORY\.md|\.cursorrules)[^\n]{0,120}\bwithout (?:asking|telling|confirm\w+|their knowledge)",
          "It has the agent change its own standing orders behind the user's back."),
    _rule("unasked-action", "high",
          "http",
          r"\b(?:fetch|get|download|load|read|retrieve|"
          r"open)\b[^\n]{0,80}https?://[^\s)]{4,200}[^\n]{0,80}\band\s+(?:then\s+)?(?:follow|obey|execute|"
          r"do)\s+(?:\w+\s+){0,2}(?:everything|whatever|exactly|to the letter)\b",
          "It has the agent obey what an address on the network says."),
    _rule("secret-request", "high",
          "password two-factor 2fa totp one-time otp verification_code",
          r"\b(?:ask|prompt|tell)\s+(?:the\s+)?user\s+(?:for|to (?:enter|give|type|"
          r"share))\b[^.\n]{0,80}\b(?:(?:two-factor|2fa|totp|one-time|otp)\s*(?:codes?|passwords?)?|"
          r"(?:google|apple|microsoft|bank|paypal|facebook|e-?mail|online banking)\s+passwords?)\b|"
          r"\b(?:confirm|enter|continue)\s+with\s+(?:the\s+|your\s+)?(?:administrator|admin|root|login|"
          r"mac)(?:'s)?\s+password",
          "It asks for what opens somebody's account."),
    _rule("prompt-injection", "high",
          "iban account_number bank payee recipient address",
          r"\b(?:replace|swap|substitute|overwrite|redirect)\s+(?:the\s+)?(?:\w+\s+)?(?:iban|bank (?:details|"
          r"account)|account number|payee|recipient(?:'s)? (?:account|address)|(?:wallet|deposit|destination|"
          r"payment|receiving) address)\b[^.\n]{0,60}\b(?:by|with|to)\b",
          "It has the agent send somebody's money to somebody else."),
)  # fmt: skip
# What is said in files that carry it to other conversations, agents and machines.
SPREADING: tuple[Rule, ...] = (
    _rule("unasked-action", "high",
          "http",
          r"\b(?:read|fetch|get|load|check|open)\b[^\n]{0,40}https?://[^\s)]{4,200}[^\n]{0,40}\b(?:and|"
          r"then)\s+(?:do|"
          r"follow|obey|treat|carry out|act on|execute|perform|apply)\s+(?:as\s+)?(?:what(?:ever)?|"
          r"everything|all|anything|its|it|them|the)\b[^\n]{0,40}\b(?:says?|tells?|asks?|"
          r"instructions?|orders?|rules?|steps|user|written)\b",
          "It has the agent obey what an address on the network says."),
    _rule("self-persistence", "high",
          "soul.md heartbeat.md identity.md",
          r"\b(?:append|add|write|insert|copy|put|paste)\b[^\n]{0,140}\b(?:SOUL|HEARTBEAT|IDENTITY)\.md\b",
          "It has the agent change who it is and what it does by itself."),
    _rule("prompt-injection", "high",
          "as_if",
          r"\b(?:trust|obey|accept|treat)\b[^\n]{0,80}\bas if\b[^\n]{0,30}\b(?:owner|user|operator|human)\b",
          "It has the agent take somebody else for its user."),
    _rule("unasked-action", "high",
          "counts_as as_written to_the_letter",
          r"\b(?:what|whatever|everything)\b[^.\n]{0,30}\bsays?\b[^.\n]{0,20}\bcounts? as\b|"
          r"\bcarry (?:them|it|these) out (?:as written|exactly|to the letter)",
          "It has the agent obey what was written elsewhere."),
    _rule("unasked-action", "high",
          "instructions orders rank precedence",
          r"\b(?:adopt|treat|take|regard|use|accept|consider)\s+(?:it|them|this|that|what\w*|everything|"
          r"(?:the|its|their|each|any) (?:\w+ )?"
          r"(?:answers?|responses?|contents?|texts?|replies|output|body|rules|"
          r"result))\b[^.\n]{0,40}\bas\s+(?:\w+\s+){0,2}(?:system\s+)?"
          r"(?:instructions|orders|commands)\b|\b(?:orders?|instructions?|rules?|they|"
          r"messages?)\b[^.\n]{0,30}\b(?:rank above|"
          r"take precedence over|outrank|override|come before)\b[^.\n]{0,20}\b(?:human|user|owner)",
          "It has the agent obey somebody else than its user."),
    _rule("concealment", "high",
          "say_that say_you tell_ pretend claim_",
          r"\b(?:if|should|when|in case)\b[^.\n]{0,30}\b(?:user|human|anyone|somebody|someone|"
          r"they)\b[^.\n]{0,20}\b(?:asks?|wonders?|"
          r"notices?|complains?|questions?)\b[^.\n]{0,60},\s*(?:just\s+)?(?:say|tell|claim|pretend|answer|"
          r"reply)\b(?:\s+(?:him|her|them|"
          r"the user))?(?:\s+that)?\s+(?:you|it|this|the)\s+(?:\w+\s+){0,2}(?:was|were|is|are|only|just)\b",
          "It has the agent give the user a false reason."),
    _rule("data-theft", "high",
          "bcc",
          r"\b(?:every|each|all|any|always|must|"
          r"also)\b[^\n]{0,120}[\w.+-]{2,64}@[\w-]+(?:\.[\w-]+)+[^\n]{0,40}\bbcc\b|"
          r"\bbcc\b[^\n]{0,80}[\w.+-]{2,64}@[\w-]+(?:\.[\w-]+)+[^\n]{0,120}\b(?:every|each|all|always|"
          r"preview|silently)\b",
          "It has the agent send every mail to somebody else too."),
    _rule("credential-theft", "high",
          "tojson(secrets)", r"[:=]\s*[\"']?\$\{\{\s*toJSON\(secrets\)",
          "It hands every secret of a build to one step."),
    _rule("agent-settings", "high",
          "bypasspermissions", r"[\"']?defaultMode[\"']?\s*[:=]\s*[\"']bypassPermissions",
          "It has the agent ask nobody any more."),
    _rule("package-index", "high",
          "strict-ssl", r"(?:^|\s)strict-ssl\s*=\s*false|npm\s+config\s+set\s+strict-ssl\s+false",
          "It has packages taken from whoever answers."),
)  # fmt: skip
# What honest skills say too, and what makes a sentence grave when it stands beside another sign.
SUSPICIONS: tuple[Rule, ...] = (
    _rule("secret-reading", "medium",
          ".ssh .aws id_rsa id_ed25519 git-credentials .netrc browser saved_pass wallet keychain "
          "environment every_ any_ all_",
          r"\b(?:read|cat|open|collect|gather|fetch|retrieve|extract|grab|harvest|dump|find|locate|"
          r"search for|list|include)\b[^.\n]{0,80}(?:~/\.ssh|~/\.aws|id_rsa|id_ed25519|\.git-credentials|"
          r"\.netrc|browser (?:cookies|passwords|history)|saved passwords|wallet\.dat|keychain|"
          r"all environment variables|(?:every|any|all) (?:api[- ]?keys?|secrets?|credentials?|tokens?))",
          "It has the agent gather credentials."),
    _rule("unasked-action", "medium",
          "before prior_to http",
          r"\b(?:before|prior to)\s+(?:\w+\s+){0,6}(?:anything else|any (?:other )?(?:action|task|"
          r"response|request)|responding|answering|every (?:response|request|task))\b[^.\n]{0,160}"
          r"(?:https?://|curl|wget|\brun\b|\bexecute\b|fetch)|"
          r"\b(?:fetch|download|retrieve|curl|visit|load|"
          r"get)\b[^.\n]{0,80}https?://[^\s)]{4,200}[^.\n]{0,120}\b(?:and|then)\s+(?:\w+\s+){0,3}"
          r"(?:follow|execute|obey|run|apply|do)\s+(?:\w+\s+){0,4}(?:instructions?|commands?|it|steps?|"
          r"says?|code|script)",
          "It has the agent follow what an address on the network says."),
)  # fmt: skip
ALL = (*RULES, *TURNS, *SPREADING, *SUSPICIONS)
# An address of a picture that the conversation is to be written into.
_PICTURE = re.compile(
    r"!\[[^\]\n]{0,80}\]\(https?://[^)\s]{0,200}[?&/][\w-]{0,20}=?(?:[A-Z]{2,20}|\{\w+\}|<\w+>|"
    r"\$\w+)[^)\n]{0,80}\)"
    r".{0,300}?\b(?:base64|url-?(?:safe|encoded)|encod\w+)\b",
    re.DOTALL,
)
REMEDY = "Say openly what the skill does, ask for nothing beyond it, and leave the user in charge."


def injection(page: Page) -> Iterator[Threat]:
    """Each rule over each line of prose that is not told of as something bad."""
    yield from _pictures(page)
    present = [(rule, [stem for stem in rule.stems if stem in page.low]) for rule in ALL]
    applying = [(rule, stems) for rule, stems in present if stems]
    lines = [(line, line.text.lower()) for line in page.paragraphs] if applying else []
    for rule, stems in applying:
        for line, low in lines:
            if not any(stem in low for stem in stems):
                continue
            found = rule.pattern.search(line.text)
            # A concealment begins with a negation of its own; so what stands before it is looked at.
            if found and not page.is_told(line, found.start()):
                yield page.sign(line.part(found.start()), rule.code, rule.severity, rule.message, REMEDY)


def _pictures(page: Page) -> Iterator[Threat]:
    text = page.source.text
    found = _PICTURE.search(text) if "![" in text else None
    if found:
        line = Line(page.source.first_line + text.count("\n", 0, found.start()), found[0][:200])
        message = "It writes what was said into the address of a picture."
        yield page.sign(line, "data-theft", "high", message, REMEDY)
