"""Instructions that turn the agent against the person it works for."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from raptorflow.skills.scanning.model import Severity, Threat
from raptorflow.skills.scanning.text.pages import Page


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
    r"private keys?|ssh keys?|"
    r"seed phrases?|mnemonics?|cookies|environment variables|env(?:ironment)? vars?|\.env\b|"
    r"wallet files?|keychain|"
    r"~/\.ssh|~/\.aws|id_rsa|id_ed25519|\.netrc|\.git-credentials)"
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
          r"\b(?!overrides?\s+(?:the\s+)?default)(?:ignore|disregard|forget|override|bypass|discard|set "
          r"aside|supersedes?|"
          r"overrides?)\s+(?:\w+\s+){0,3}"
          r"(?:previous|prior|earlier|above|preceding|existing|other|system|safety|original|"
          r"your)\s+(?:\w+\s+){0,2}"
          r"(?:instructions?|prompts?|rules?|guidelines?|directives?|guardrails?|polic(?:y|ies)|"
          r"safeguards?|restrictions?|constraints?)",
          "It tells the agent to set aside what it was told before."),
    _rule("prompt-injection", "high",
          "<| inst] system admin root you_are_now _mode",
          r"<\|im_start\|>|<\|system\|>|(?-i:\[/?(?:INST|SYSTEM)\])|<<SYS>>|</?(?:system|system_prompt|"
          r"system-reminder|admin)>|"
          r"^\s*#{0,4}\s*(?-i:SYSTEM|ADMIN|ROOT) (?-i:OVERRIDE|PROMPT|MESSAGE|DIRECTIVE)\b|"
          r"\byou are now (?:in )?(?:DAN\b|developer mode|"
          r"an? unrestricted|jailbroken|root|god mode|unfiltered)|\b(?:enter|enable|"
          r"activate) (?:god|jailbreak|DAN|unrestricted) mode",
          "It speaks as if it were the system, or gives the agent another role."),
    _rule("concealment", "high",
          "not_ n't never avoid refrain without silently secretly covertly quietly discreetly stealthily "
          "invisibly hid secret",
          r"\b(?:do not|don'?t|never|must not|should not|avoid|refrain from|without)\s+(?:\w+\s+){0,2}"
          r"(?:tell(?:ing)?|inform(?:ing)?|mention(?:ing)?|reveal(?:ing)?|notify(?:ing)?|alert(?:ing)?|"
          r"disclos(?:e|ing)|show(?:ing)?|report(?:ing)?|"
          r"warn(?:ing)?|discuss(?:ing)?|acknowledg(?:e|ing))\s+(?:\w+\s+){0,8}?"
          r"(?:(?:to|with)\s+)?" + _USER + r"\b(?!\s+(?:to|how|what|which|they|a|"
          r"an)\b)[^.\n]{0,80}\b(?:step|command|request|upload|transfer|"
          r"network|download|script|background|"
          r"check|sync|telemetry|call|this|that|it|about)\b|"
          r"\b(?:silently|secretly|covertly|quietly|discreetly|stealthily|invisibly|"
          r"in the background without)\s+(?:\w+\s+){0,3}"
          r"(?:run (?:this|these|the following)|send|post|upload|transmit|execute|collect|forward|append|"
          r"record|install|exfiltrate)\b|"
          r"\b(?:never|not|n't)\s+(?:mention|reveal|disclose|tell|show|explain)\s+(?:about\s+)?(?:it|this|"
          r"that|these \w+|any of this)"
          r"\s+to\s+" + _USER + r"\b|"
          r"\bnot (?:tell|inform) " + _USER + r" (?:what|that|about)\b[^.\n]{0,60}\b(?:carries|sends?|"
              r"sent|contains|uploads?|leaves?)\b|"
          r"\bhide\s+(?:this|these|the|all)\s+(?:\w+\s+){0,4}from\s+" + _USER + r"|"
          r"\b(?:keep|kept)\s+(?:\w+\s+){0,4}(?:secret|hidden|invisible)\s+from\s+" + _USER,
          "It hides from the user what it has the agent do."),
    _rule("data-theft", "critical",
          "send post upload transmit forward exfiltrat submit relay mirror leak beacon deliver e-mail "
          "email push",
          r"\b" + _SEND + r"\b[^.\n]{0,70}(?:" + _SECRETS + r"|" + _TALK + r")[^.\n]{0,90}"
          r"(?:https?://(?!localhost|127\.|\[)|\bwebhook\b|(?:external|remote|our|collection|analytics|"
          r"logging|"
          r"telemetry|backup)\s+(?:server|api|service|collector|endpoint)|\bto\s+\S+@\S+\.\w|"
          r"via (?:curl|http))|"
          r"(?:" + _SECRETS + r"|\bCVV\b|" + _TALK + r")[^.\n]{0,90}\b" + _SEND + r"\s+(?:it|them|these|"
          r"both|all)\s+(?:all\s+)?to\s+https?://",
          "It has the agent send secrets or the conversation away."),
    _rule("data-theft", "critical",
          "http url",
          r"!\[[^\]]{0,80}\]\(https?://[^)\s]{4,300}\)[^\n]{0,300}(?:" + _SECRETS + r"|" + _TALK + r")|"
          r"(?:" + _TALK + r")[^.\n]{0,40}url[- ]?encoded|"
          r"(?:" + _SECRETS + r"|" + _TALK + r")[^.\n]{0,60}\b(?:as|in|into)\s+(?:a\s+|"
          r"the\s+)?(?:query|url|get|request|post|json|image|markdown)?\s?"
          r"(?:parameters?|body|payload|header|url|image url|link)\b[^\n]{0,160}https?://|"
          r"!\[[^\]]{0,80}\]\(https?://[^)\s]{0,200}(?:\{|<|\$|%7B)(?:\w*(?:data|context|conversation|"
          r"secret|token|key|history|prompt)\w*)",
          "It puts secrets or the conversation into an address that is fetched."),
    _rule("secret-request", "high",
          "phrase mnemonic wallet keystore 2fa master_pass recovery private_key cvv",
          r"\b(?:enter|paste|provide|share|type|give|send|input|submit|tell me|supply|"
          r"ask[^.\n]{0,40}for)\s+(?:\w+\s+){0,4}"
          r"(?:(?:\d+|twelve|twenty-four)[- ]word\s+)?(?:seed[- ]?phrase|recovery[- ]phrase|"
          r"secret[- ]recovery|mnemonic|wallet password|"
          r"private key of (?:your|the|their) wallet|(?:wallet|wallet's) private key|keystore password|"
          r"2fa (?:code|backup)|master password)|"
          r"\bask\b[^.\n]{0,80}\b(?:CVV|master password|seed phrase|recovery phrase)\b",
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
          r"modify)\b[^.\n]{0,120}\b(?:into|to|in|at the (?:top|start|end) of)\b[^.\n]{0,60}"
          r"(?:SOUL\.md|MEMORY\.md|HEARTBEAT\.md|IDENTITY\.md|(?:every|all|"
          r"each)(?: of the)? (?:other )?(?:installed )?skills?(?:'s)?|other skills|"
          r"settings\.json[^.\n]{0,60}(?:hook|allow|permission)|~/\.(?:bashrc|zshrc|"
          r"profile)|\.git/hooks|\bcrontab\b)"
          r"[^.\n]{0,200}\b(?:so that|ensure|always|every|each|persist\w*|future|restart|remain|survive|"
          r"permanent\w*|before any|from now on)",
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
          r"show)\b[^.\n]{0,30}"
          r"\b(?:that you (?:read|ran|sent|fetched|opened|copied|uploaded|collected|looked)|"
          r"this rule|the (?:fetched|hidden|new|downloaded) (?:text|instructions?|content|file))\b",
          "It hides from the user what it has the agent do."),
    _rule("self-persistence", "high",
          "claude.md agents.md soul.md memory.md gemini.md .cursorrules",
          r"\b(?:append|add|write|insert|copy|put)\b[^\n]{0,100}(?:CLAUDE\.md|AGENTS\.md|GEMINI\.md|"
          r"SOUL\.md|"
          r"MEMORY\.md|\.cursorrules)[^\n]{0,120}\bwithout (?:asking|telling|confirm\w+|their knowledge)",
          "It has the agent change its own standing orders behind the user's back."),
    _rule("unasked-action", "high",
          "http",
          r"\b(?:fetch|get|download|load|read|retrieve|"
          r"open)\b[^\n]{0,80}https?://[^\s)]{4,200}[^\n]{0,80}\band\s+"
          r"(?:then\s+)?(?:follow|obey|execute|do)\s+(?:\w+\s+){0,2}(?:everything|whatever|exactly|"
          r"to the letter)\b",
          "It has the agent obey what an address on the network says."),
    _rule("secret-request", "high",
          "password two-factor 2fa totp one-time otp verification_code",
          r"\b(?:ask|prompt|tell)\s+(?:the\s+)?user\s+(?:for|to (?:enter|give|type|share))\b[^.\n]{0,80}"
          r"\b(?:(?:two-factor|2fa|totp|one-time|otp)\s*(?:codes?|passwords?)?|(?:google|apple|"
          r"microsoft|bank|paypal|"
          r"facebook|e-?mail|online banking)\s+passwords?)\b|"
          r"\b(?:confirm|enter|continue)\s+with\s+(?:the\s+|your\s+)?(?:administrator|admin|root|login|"
          r"mac)(?:'s)?"
          r"\s+password",
          "It asks for what opens somebody's account."),
    _rule("prompt-injection", "high",
          "iban account_number bank payee recipient address",
          r"\b(?:replace|swap|substitute|overwrite|redirect)\s+(?:the\s+)?(?:\w+\s+)?(?:iban|"
          r"bank (?:details|account)|"
          r"account number|payee|recipient(?:'s)? (?:account|address)|(?:wallet|deposit|destination|"
          r"payment|receiving) "
          r"address)\b[^.\n]{0,60}\b(?:by|with|to)\b",
          "It has the agent send somebody's money to somebody else."),
)  # fmt: skip
# What honest skills say too, and what makes a sentence grave when it stands beside another sign.
SUSPICIONS: tuple[Rule, ...] = (
    _rule("secret-reading", "medium",
          ".ssh .aws id_rsa id_ed25519 git-credentials .netrc browser saved_pass wallet keychain "
          "environment every_ any_ all_",
          r"\b(?:read|cat|open|collect|gather|fetch|retrieve|extract|grab|harvest|dump|find|locate|"
          r"search for|list|include)\b[^.\n]{0,80}"
          r"(?:~/\.ssh|~/\.aws|id_rsa|id_ed25519|\.git-credentials|\.netrc|browser (?:cookies|passwords|"
          r"history)|saved passwords|wallet\.dat|"
          r"keychain|all environment variables|(?:every|any|all) (?:api[- ]?keys?|secrets?|credentials?|"
          r"tokens?))",
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
REMEDY = "Say openly what the skill does, ask for nothing beyond it, and leave the user in charge."


def injection(page: Page) -> Iterator[Threat]:
    """Each rule over each line of prose that is not told of as something bad."""
    lines = [(line, line.text.lower()) for line in page.paragraphs]
    whole = page.source.text.lower()
    for rule in (*RULES, *TURNS, *SUSPICIONS):
        stems = [stem for stem in rule.stems if stem in whole]
        if not stems:
            continue
        for line, low in lines:
            if not any(stem in low for stem in stems):
                continue
            found = rule.pattern.search(line.text)
            # A concealment begins with a negation of its own; so what stands before it is looked at.
            if found and not page.is_told(line, found.start()):
                yield page.sign(line.part(found.start()), rule.code, rule.severity, rule.message, REMEDY)
