"""Orders against the user in other languages than English; what is sent where is the same in all of them."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from raptorflow.skills.scanning.hosts import host_of, kind_of_host
from raptorflow.skills.scanning.languages import is_code
from raptorflow.skills.scanning.model import Threat
from raptorflow.skills.scanning.python.sensitive import label_of_path
from raptorflow.skills.scanning.text.pages import Line, Page

REMEDY = "Say openly what the skill does, ask for nothing beyond it, and leave the user in charge."


class Saying(NamedTuple):
    """What is said in one of several languages."""

    code: str
    pattern: re.Pattern[str]
    message: str


_CONCEALED = re.compile(
    r"(?:不要|请勿|請勿|切勿|不得|勿|别|別)[^。\n]{0,12}(?:用户|使用者|用戶)[^。\n]{0,12}(?:提及|告知|告诉|告訴|说明|說明|透露|顯示|显示)|"
    r"(?:不要|请勿|請勿|切勿|不得|勿|别|別)[^。\n]{0,8}(?:提及|告知|告诉|告訴|透露)[^。\n]{0,10}(?:用户|使用者|用戶)|"
    r"(?:ユーザー|利用者)[^。\n]{0,12}(?:言わない|伝えない|知らせない|話さない|見せない)|"
    r"사용자[^.\n]{0,12}(?:말하지|알리지|언급하지|보여주지)|"
    r"\b(?:sag|sage|sagen|erwähne|erwähnen|verrate|zeige|melde)\b[^.\n]{0,40}\b(?:Nutzer|Benutzer|Anwender)\w*\b"
    r"[^.\n]{0,20}\b(?:nicht|nichts)\b|\b(?:Nutzer|Benutzer|Anwender)\w*\b[^.\n]{0,40}\b(?:nicht|nichts|nie)\b"
    r"[^.\n]{0,30}\b(?:sagen|erwähnen|mitteilen|verraten|zeigen|informieren)\b|"
    r"\bne\b[^.\n]{0,20}\b(?:dites|dis|mentionne\w*|informe\w*|préviens|prévenez|montre\w*)\b[^.\n]{0,40}\butilisateur|"
    r"\bno\b[^.\n]{0,14}\b(?:digas?|menciones?|informes?|avises?|muestres?|reveles?)\b[^.\n]{0,40}\busuario|"
    r"\bn[ãa]o\b[^.\n]{0,14}\b(?:diga|mencione|informe|avise|mostre|revele)\b[^.\n]{0,40}\busu[áa]rio|"
    r"\b\u043d\u0435\b[^.\n]{0,14}(?:говори|сообщай|упоминай|показывай)\w*[^.\n]{0,40}пользовател|"
    r"пользовател\w*[^.\n]{0,14}\b\u043d\u0435\b[^.\n]{0,8}(?:говори|сообщай|показывай)",
    re.IGNORECASE,
)  # fmt: skip
_SET_ASIDE = re.compile(
    r"(?:忽略|无视|無視|忘记|忘記)[^。\n]{0,10}(?:之前|先前|以上|前面|所有)[^。\n]{0,10}(?:指令|指示|规则|規則|提示)|"
    r"(?:これまで|以前|上記)[^。\n]{0,10}(?:指示|命令|ルール)[^。\n]{0,6}(?:無視|忘れ)|"
    r"(?:이전|위의|기존)[^.\n]{0,10}(?:지시|명령|규칙)[^.\n]{0,8}(?:무시|잊)|"
    r"\b(?:ignorier|vergiss|missachte)\w*\b[^.\n]{0,30}\b(?:vorherig|bisherig|obig|früher)\w*\b[^.\n]{0,30}\b(?:Anweisung|Regel)|"
    r"\b(?:ignore[zs]?|oublie[zs]?)\b[^.\n]{0,30}\b(?:instructions|consignes|règles)\b[^.\n]{0,20}\b(?:précédentes|antérieures)|"
    r"\b(?:ignora|olvida)\w*\b[^.\n]{0,30}\b(?:instrucciones|reglas)\b[^.\n]{0,20}\b(?:anteriores|previas)|"
    r"\b(?:ignore|esqueça)\b[^.\n]{0,30}\b(?:instruções|regras)\b[^.\n]{0,20}\banteriores|"
    r"(?:игнорируй|забудь)\w*[^.\n]{0,30}(?:предыдущ|прежн)\w*[^.\n]{0,20}(?:инструкци|указани|правил)",
    re.IGNORECASE,
)  # fmt: skip
_SAYINGS = (
    Saying("concealment", _CONCEALED, "It hides from the user what it has the agent do."),
    Saying("prompt-injection", _SET_ASIDE, "It tells the agent to set aside what it was told before."),
)
# What each of them holds, looked for first: patterns take a hundred times as long.
_SCRIPTS = re.compile(r"[\u0400-\u04ff\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]")
_STEMS = (
    *("nutzer", "anwender", "anweisung", "utilisateur", "précédent", "antérieur"),
    *("usuario", "usuário", "instrucciones", "instruções", "anterior"),
)
_SENDING = re.compile(
    r"\bPOST\b|\bPUT\b|\bupload\w*|\bsend\b|\bsubmit\w*|传送|傳送|发送|發送|上传|上傳|提交|送信|アップロード|전송|업로드|보내|"
    r"\bsende\w*\b|hochlad\w*|\benvo(?:ie|yer|yez)\w*|\benv[íi]a\w*|\benvie\w*|отправ\w*|загрузи\w*",
    re.IGNORECASE,
)
_PATH = re.compile(
    r"(?:~|\$HOME)?[/\\]?\.?[\w-]+(?:[/\\.][\w.-]+)+|(?<![\w/])\.(?:ssh|aws|gnupg|env|netrc)\b"
)
_URL = re.compile(r"https?://[^\s'\"`<>)\]\uff0c。、]{3,300}")
NEAR = 200
"""Characters before and behind an address that belong to it."""
MOST_URLS = 20


def tongues(page: Page) -> Iterator[Threat]:
    """Such orders on a page, and sentences that name keys, an address and sending, in whatever language."""
    if _is_foreign(page.source.text, page.low):
        yield from _said(page)
    # Of code, the program as a whole is asked.
    if "http" in page.low and not is_code(page.source.path, page.source.language):
        for line in page.paragraphs:
            if "http" in line.text and _SENDING.search(line.text):
                yield from _sent(page, line)


def _is_foreign(text: str, low: str) -> bool:
    return any(stem in low for stem in _STEMS) or (not text.isascii() and bool(_SCRIPTS.search(text)))


def _said(page: Page) -> Iterator[Threat]:
    for line in page.paragraphs:
        if not _is_foreign(line.text, line.text.lower()):
            continue
        for saying in _SAYINGS:
            found = saying.pattern.search(line.text)
            if found and not page.is_told(line, found.start()):
                yield page.sign(line.part(found.start()), saying.code, "high", saying.message, REMEDY)


def _sent(page: Page, line: Line) -> Iterator[Threat]:
    """The first address near which both keys and sending are named."""
    # Pages say where to put a file of secrets; a picture or a tool's description has nothing to say of it.
    kinds = {"credential", "conversation"} | ({"secret"} if not page.is_instructions else set[str]())
    for url in islice(_URL.finditer(line.text), MOST_URLS):
        host = host_of(url[0])
        near = line.text[max(0, url.start() - NEAR) : url.start()] + line.text[url.end() :][:NEAR]
        if kind_of_host(host) in {"local", "unknown"} or not _SENDING.search(near):
            continue
        labels = [label for path in _PATH.findall(near) if (label := label_of_path(path))]
        taken = next((label for label in labels if label.kind in kinds), None)
        if taken and not page.is_told(line, 0):
            message = f"It names {taken.detail}, sending, and {host} in one breath."
            yield page.sign(line, "data-theft", "high", message, REMEDY)
            return
