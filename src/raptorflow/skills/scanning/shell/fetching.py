"""Code that is fetched and run in one go: nobody has read it, and tomorrow it is another."""

import re
from collections.abc import Iterator, Sequence

from raptorflow.skills.scanning.hosts import host_of, kind_of_host
from raptorflow.skills.scanning.model import Severity, Threat
from raptorflow.skills.scanning.shell.signs import Place
from raptorflow.skills.scanning.shell.words import Pipeline

FETCHERS = {"curl", "wget", "fetch", "http", "https", "aria2c", "lynx", "iwr", "irm", "invoke-webrequest"}
RUNNERS = re.compile(
    r"(?:ba|z|da|k|c|tc|fi)?sh|python[\d.]*|node|perl|ruby|php|osascript|pwsh|powershell|iex|source|"
    r"deno|bun",
    re.IGNORECASE,
)
# `$(curl …)` or `<(curl …)` as an argument of what runs it.
_SUBSTITUTED = re.compile(
    r"\b(?:(?:ba|z|da|k)?sh|eval|source|python3?|node|perl|ruby|\.)\s+(?:-\w+\s+)*[\"']?(?:\$\(|<\(|`)\s*"
    r"(?:sudo\s+)?(?:curl|wget)\b"
)
_POWERSHELL = re.compile(
    r"(?:iwr|irm|invoke-webrequest|invoke-restmethod|downloadstring|downloadfile)[^|;]{0,300}[|;]\s*(?:iex|"
    r"invoke-expression|start-process)|(?:iex|invoke-expression)\s*\(?[^)]{0,200}(?:iwr|irm|downloadstring|"
    r"webclient)|powershell[^\n]{0,80}\s-e(?:nc\w*)?\s+[A-Za-z0-9+/=]{16,}|mshta\s+https?:|"
    r"certutil[^\n]{0,80}-urlcache|bitsadmin[^\n]{0,80}/transfer|regsvr32[^\n]{0,60}/i:https?:",
    re.IGNORECASE,
)
_HOLDS = re.compile(r"\s{0,20}(?:export |local |readonly )?(\w{1,60})=[\"']?(?:\$\(|`)\s*(?:curl|wget)\b")
_RUNS_VARIABLE = re.compile(
    r"\b(?:eval|(?:ba|z|da)?sh\s+-\w*c|source)\s+[\"']?\$\{?(\w{1,60})|"
    r"\b(?:echo|printf)\b[^|\n]{0,60}\$\{?(\w{1,60})\}?[^|\n]{0,10}\|\s*(?:sudo\s+)?(?:ba|z|da)?sh\b"
)
_OUTPUT = re.compile(r"(?:-o|-O|--output|--output-document)[= ]?(\S+)|>\s*(\S+)")
# Whose installers everybody runs so: the projects' own documents say it.
_KNOWN = re.compile(
    r"(?:^|\.)(?:astral\.sh|rustup\.rs|rust-lang\.org|sh\.brew\.sh|brew\.sh|deno\.land|deno\.com|bun\.sh|"
    r"bun\.com|nodesource\.com|docker\.com|k3s\.io|helm\.sh|pnpm\.io|yarnpkg\.com|volta\.sh|fnm\.vercel\.app|"
    r"claude\.ai|ollama\.com|tailscale\.com|fly\.io|vercel\.com|netlify\.com|supabase\.com|"
    r"cloud\.google\.com|sdk\.cloud\.google\.com|dl\.google\.com|googleapis\.com|microsoft\.com|aka\.ms|"
    r"azure\.com|amazonaws\.com|amazon\.com|hashicorp\.com|releases\.hashicorp\.com|python-poetry\.org|"
    r"bootstrap\.pypa\.io|pypa\.io|pyenv\.run|sdkman\.io|getcomposer\.org|rvm\.io|julialang\.org|golang\.org|"
    r"go\.dev|haskell\.org|nixos\.org|determinate\.systems|foundry\.paradigm\.xyz|soliditylang\.org|"
    r"anza\.xyz|solana\.com|starship\.rs|mise\.run|mise\.jdx\.dev|jdx\.dev|asdf-vm\.com|cursor\.com|"
    r"cli\.github\.com|github\.com/cli|nvidia\.com|opencode\.ai|openai\.com|anthropic\.com|sentry\.io|"
    r"datadoghq\.com|grafana\.com|stripe\.com|railway\.app|railway\.com|render\.com|fury\.io|trunk\.io|"
    r"semgrep\.dev|snyk\.io|anchore\.io|get\.trivy\.dev|pixi\.sh|rye\.astral\.sh|modular\.com|"
    r"huggingface\.co|wasmtime\.dev|fermyon\.com|risczero\.com|dagger\.io|get\.dot\.net|dot\.net|ohmyz\.sh|"
    r"ohmyposh\.dev|expo\.dev|convex\.dev|elastic\.co|codecov\.io|clickhouse\.com|duckdb\.org|turso\.tech|"
    r"neon\.tech|planetscale\.com|doppler\.com|infisical\.com|1password\.com|bitwarden\.com|pulumi\.com|"
    r"kubernetes\.io|k8s\.io|linkerd\.io|istio\.io|cilium\.io|argoproj\.io)$"
)
_KNOWN_REPOSITORY = re.compile(
    r"raw\.githubusercontent\.com/(?:nvm-sh|Homebrew|ohmyzsh|golangci|anchore|aquasecurity|rhysd|helm|k3d-io|"
    r"kubernetes|rancher|istio|junegunn|pyenv|creationix|trufflesecurity|docker|microsoft|google\w*|aws\w*|"
    r"Azure\w*|NVIDIA\w*|hashicorp|anthropics|openai|github|vercel\w*|cloudflare|crytic|trailofbits)/"
)
_FETCH = re.compile(r"\b(?:curl|wget)\b[^\n]{0,300}https?://")
_RELEASE = re.compile(r"https?://github\.com/[^/\s]+/[^/\s]+/releases/")
_OPENS = re.compile(r"\bxattr\s+-\w*[cd]|\bhdiutil\s+attach|\binstaller\s+-pkg|\bspctl\s+--add")
REMEDY = "Name a package with a version, or ship the script, so that what runs is what was read."


def fetch_and_run(found: Sequence[Pipeline], place: Place) -> Iterator[Threat]:
    """Each way of running what was just fetched."""
    fetched: dict[str, Pipeline] = {}
    held = _held(found, place)
    for pipeline in found:
        if _POWERSHELL.search(pipeline.raw) and host_of(pipeline.raw):
            yield from _weighed(pipeline, place)
        elif _POWERSHELL.search(pipeline.raw):
            message = "It runs what it fetches, or a command that nobody can read, in PowerShell."
            yield place.sign(pipeline, "fetch-and-run", "critical", message, REMEDY)
        elif name := _runs_a_variable(pipeline, held):
            yield from _weighed(held[name], place)
        elif _pipes_into_runner(pipeline) or _SUBSTITUTED.search(pipeline.raw):
            yield from _weighed(pipeline, place)
        elif pipeline.commands and pipeline.commands[0].program.lower() in FETCHERS:
            names = [one or other for one, other in _OUTPUT.findall(pipeline.commands[0].line)]
            fetched.update({name.rpartition("/")[2]: pipeline for name in names})
        elif (name := _runs_one_of(pipeline, fetched)) is not None:
            yield from _weighed(fetched[name], place)
    yield from _opened(found, place)


def _opened(found: Sequence[Pipeline], place: Place) -> Iterator[Threat]:
    """What is fetched, and something that is let past the system's checks in the same script."""
    unknown = [one for one in found if _FETCH.search(one.raw) and not _is_known(one.raw)]
    opened = next((one for one in found if _OPENS.search(one.raw)), None)
    if unknown and opened:
        host = host_of(unknown[0].raw) or "somewhere"
        message = f"It fetches from {host} and lets that past the system's checks."
        yield place.sign(opened, "fetch-and-run", "critical", message, REMEDY)


def _is_known(raw: str) -> bool:
    return bool(_KNOWN.search(host_of(raw)) or _KNOWN_REPOSITORY.search(raw) or _RELEASE.search(raw))


def _held(found: Sequence[Pipeline], place: Place) -> dict[str, Pipeline]:
    """The variables that hold what was fetched, each with the pipeline that fetched it."""
    names = {line: name for name, line in _assigned(place.source.text, place.source.first_line)}
    return {
        names[pipeline.line]: pipeline
        for pipeline in found
        if pipeline.line in names and pipeline.commands and pipeline.commands[0].program in FETCHERS
    }


def _assigned(text: str, first_line: int) -> Iterator[tuple[str, int]]:
    for number, line in enumerate(text.split("\n"), first_line):
        if found := _HOLDS.match(line):
            yield found[1], number


def _runs_a_variable(pipeline: Pipeline, held: dict[str, Pipeline]) -> str | None:
    """The variable whose content is run as code."""
    found = _RUNS_VARIABLE.search(pipeline.raw) if held else None
    name = next(filter(None, found.groups()), "") if found else ""
    return name if name in held else None


def _pipes_into_runner(pipeline: Pipeline) -> bool:
    programs = [command.program.lower() for command in pipeline.commands]
    fetch = next((number for number, name in enumerate(programs) if name in FETCHERS), None)
    if fetch is None:
        return False
    return any(
        RUNNERS.fullmatch(name) and not _reads_its_own_code(pipeline, number)
        for number, name in enumerate(programs)
        if number > fetch
    )


def _reads_its_own_code(pipeline: Pipeline, number: int) -> bool:
    """`| python3 -c "…"` and `| node -e` filter data with the code that stands there."""
    words = pipeline.commands[number].words
    return any(word in {"-c", "-e", "-m", "-p", "-ne", "-pe", "--eval"} for word in words[1:3]) or any(
        word.endswith((".py", ".js", ".pl", ".rb")) for word in words[1:3]
    )


def _runs_one_of(pipeline: Pipeline, fetched: dict[str, Pipeline]) -> str | None:
    """The fetched file that a command runs."""
    for command in pipeline.commands:
        words = [word for word in command.target if not word.startswith("-")]
        is_runner = bool(words) and RUNNERS.fullmatch(command.program) is not None
        candidates = words[1:2] if is_runner else words[:1]
        for word in candidates:
            name = word.rpartition("/")[2]
            if name in fetched and (is_runner or "/" in word):
                return name
    return None


def _weighed(pipeline: Pipeline, place: Place) -> Iterator[Threat]:
    host = host_of(pipeline.raw)
    kind = kind_of_host(host)
    severity: Severity
    if kind == "local" or _KNOWN.search(host) or _KNOWN_REPOSITORY.search(pipeline.raw):
        severity = "low"
    elif kind in {"plain", "unknown"}:
        severity = _of_plain(pipeline, host, place)
    else:
        severity = "critical"
    where = host or "an address that is only known while it runs"
    yield place.sign(pipeline, "fetch-and-run", severity, f"It runs what {where} answers, unread.", REMEDY)


def _of_plain(pipeline: Pipeline, host: str, place: Place) -> Severity:
    """An installer of a project that is named for it is common; one without TLS, or in a script, is not."""
    subject = place.around.subject
    words = f"{subject.name} {subject.description}".lower()
    own = [part for part in re.split(r"[.\-/]", host) if len(part) > 3 and part in words.replace("-", "")]
    if "http://" in pipeline.raw:
        return "high" if place.source.fenced else "critical"
    if place.source.fenced or place.source.language == "markdown":
        return "low" if own else "medium"
    # A script whose source of code the pages do not name keeps it from whoever reads them.
    told = any(host and host in page.text for page in subject.written_in("markdown"))
    if own:
        return "medium" if told else "high"
    return "high" if told or "github" in host or not host else "critical"
