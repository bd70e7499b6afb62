"""What the claims of a CI provider's token say of the build, and which builds a publisher trusts. Pure.

The claims: https://docs.github.com/actions/reference/security/oidc and
https://docs.gitlab.com/ci/secrets/id_token_authentication/.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from raptorflow.accounts.identity import Provenance
from raptorflow.accounts.models import TrustedPublisher
from raptorflow.accounts.publishers.errors import BuildTokenRefused
from raptorflow.base.json import JsonObject

Provider = Literal["github", "gitlab"]
GITHUB = "https://token.actions.githubusercontent.com"
# Whatever else starts a build may be started by a stranger, yet run with the repository's own rights.
GITHUB_EVENTS = {"push", "release", "workflow_dispatch", "schedule", "repository_dispatch"}
# Of a merge request, the branch and the file are those of whoever asks for the merge.
GITLAB_STRANGERS = {"merge_request_event", "external_pull_request_event"}
ANY = "*"


@dataclass(frozen=True)
class Build:
    """A build as its provider vouches for it.

    Attributes:
        owner_id: the provider's number of the repository's owner: names are handed on, numbers are not.
    """

    provenance: Provenance
    owner_id: str


def read_build(provider: Provider, issuer: str, claims: JsonObject) -> Build:
    """The build of a verified token.

    Raises:
        BuildTokenRefused: a claim is missing, or a stranger may have started the build.
    """
    return _READERS[provider](issuer, claims)


def fits(publisher: TrustedPublisher, build: Build) -> bool:
    """Whether a publisher trusts a build. Repositories' names are one whatever their case."""
    told = build.provenance
    return (
        publisher.issuer == told.issuer
        and publisher.repository.lower() == told.repository.lower()
        and publisher.workflow == told.workflow
        and publisher.environment in (None, told.environment)
        and publisher.owner_id in (None, build.owner_id)
        and _ref_fits(publisher.ref, told.ref)
    )


def _ref_fits(wanted: str | None, ref: str) -> bool:
    if wanted is None:
        return True
    return ref.startswith(wanted.removesuffix(ANY)) if wanted.endswith(ANY) else ref == wanted


def _github(issuer: str, claims: JsonObject) -> Build:
    event = _text(claims, "event_name")
    if event not in GITHUB_EVENTS:
        raise _started_by(event)
    repository, home = _text(claims, "repository"), _github_home(issuer)
    run = f"{_text(claims, 'run_id')}/attempts/{_text(claims, 'run_attempt')}"
    provenance = Provenance(
        issuer=issuer,
        repository=repository,
        workflow=_within(_text(claims, "workflow_ref"), f"{repository}/.github/workflows/"),
        environment=_optional(claims, "environment"),
        ref=_text(claims, "ref"),
        commit=_text(claims, "sha"),
        run_url=f"{home}/{repository}/actions/runs/{run}",
    )
    return Build(provenance, _text(claims, "repository_owner_id"))


def _github_home(issuer: str) -> str:
    place = urlsplit(issuer)
    return "https://github.com" if issuer == GITHUB else f"{place.scheme}://{place.netloc}"


def _gitlab(issuer: str, claims: JsonObject) -> Build:
    source = _text(claims, "pipeline_source")
    if source in GITLAB_STRANGERS:
        raise _started_by(source)
    repository = _text(claims, "project_path")
    kinds = {"branch": "refs/heads/", "tag": "refs/tags/"}
    kind = kinds.get(_text(claims, "ref_type"), "refs/other/")
    provenance = Provenance(
        issuer=issuer,
        repository=repository,
        workflow=_within(_text(claims, "ci_config_ref_uri"), f"{urlsplit(issuer).netloc}/{repository}//"),
        environment=_optional(claims, "environment"),
        ref=kind + _text(claims, "ref"),
        commit=_text(claims, "sha"),
        run_url=f"{issuer}/{repository}/-/jobs/{_text(claims, 'job_id')}",
    )
    return Build(provenance, _text(claims, "namespace_id"))


_READERS: Mapping[Provider, Callable[[str, JsonObject], Build]] = {"github": _github, "gitlab": _gitlab}


def _started_by(event: str) -> BuildTokenRefused:
    message = f"A build that {event} started does not publish."
    return BuildTokenRefused(message, hint="Publish from a push, a tag, a release or by hand.")


def _within(place: str, folder: str) -> str:
    """A file's path in the repository; the whole place when the file is another repository's."""
    path = place.partition("@refs/")[0]
    return path.removeprefix(folder)


def _text(claims: JsonObject, name: str) -> str:
    value = _optional(claims, name)
    if value is None:
        raise BuildTokenRefused(f"The token does not say its {name}.")
    return value


def _optional(claims: JsonObject, name: str) -> str | None:
    value = claims.get(name)
    if value in (None, ""):
        return None
    text = str(value)
    # They are kept in the database, whose text holds no NUL, and shown to people.
    if not isinstance(value, str | int) or len(text) > 1000 or not text.isprintable():
        raise BuildTokenRefused(f"The token's {name} is no plain text.")
    return text
