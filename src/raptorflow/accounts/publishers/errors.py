"""What can go wrong when a build publishes."""

from raptorflow.base.errors import Conflict, InvalidInput, NotAuthenticated, NotPermitted, PartUnavailable


class BuildTokenRefused(NotAuthenticated):
    """A CI provider's token is not valid, not for this server, or too old."""

    code = "build-token-refused"
    default_hint = "Ask the CI provider for a fresh token whose audience is this server's URL."


class BuildTokenUsed(BuildTokenRefused):
    """A CI provider's token was traded before; each works once."""

    code = "build-token-used"
    default_hint = "Ask the CI provider for a fresh token: each one is traded once."


class IssuerNotAllowed(NotAuthenticated):
    """A token comes from an issuer that the operator does not take tokens from."""

    code = "issuer-not-allowed"
    default_hint = "The operator lists issuers in RAPTORFLOW_ACCOUNTS__CI_ISSUERS."


class IssuerUnavailable(PartUnavailable):
    """The keys of an issuer cannot be had."""

    code = "issuer-unavailable"
    default_hint = (
        "Try again. An issuer in the server's own network, or without TLS, is reached only with "
        "RAPTORFLOW_ACCOUNTS__CI_LOCAL_ISSUERS=true."
    )


class PublicUrlMissing(Conflict):
    """The server does not know its own URL, which tokens have to be made out to."""

    code = "public-url-missing"
    default_hint = "The operator sets RAPTORFLOW_ACCOUNTS__PUBLIC_URL."


class PublisherNotTrusted(NotPermitted):
    """No organisation trusts the build."""

    code = "publisher-not-trusted"
    default_hint = (
        "An administrator of the organisation adds it with POST /api/v1/accounts/publishers, and stays an "
        "administrator."
    )


class PublisherKnown(Conflict):
    """The organisation trusts exactly this already."""

    code = "publisher-known"


class IssuerUnknown(InvalidInput):
    """A publisher of an issuer that the operator does not take tokens from."""

    code = "issuer-unknown"
    default_hint = "The operator lists issuers in RAPTORFLOW_ACCOUNTS__CI_ISSUERS."
