"""What can go wrong with identity."""

from raptorflow.base.errors import (
    Conflict,
    InvalidInput,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    RateLimited,
)


class SignInRefused(NotAuthenticated):
    """The address or the password is wrong; which one is not said."""

    code = "sign-in-refused"
    default_hint = "Check both, or ask an administrator for a one-time link."


class LinkSpent(NotAuthenticated):
    """A one-time link was used before, is too old, or never existed."""

    code = "link-spent"
    default_hint = "Ask for a new one; `raptorflow run` prints one at each start."


class TokenRefused(NotAuthenticated):
    """A token is not valid, not valid any more, or was not issued here."""

    code = "token-refused"


class RefreshReused(NotAuthenticated):
    """A refresh token was used twice, so that its whole family was revoked."""

    code = "refresh-reused"
    default_hint = "Sign in again; if this was not you, change your password."


class ScopeMissing(NotPermitted):
    """The token was not given this scope."""

    code = "scope-missing"
    default_hint = "Make a token with this scope."


class RoleTooLow(NotPermitted):
    """The caller's role in the organisation does not allow this."""

    code = "role-too-low"
    default_hint = "Ask an administrator of the organisation."


class CrossSiteRefused(NotPermitted):
    """A browser sent this from another site's page."""

    code = "cross-site-refused"
    default_hint = "Use the product's own pages, or send the token in the Authorization header."


class PasswordTooWeak(InvalidInput):
    """The password is too short or one of the first that anybody tries."""

    code = "password-too-weak"


class EmailTaken(Conflict):
    """Somebody has an account with this address."""

    code = "email-taken"


class SlugTaken(Conflict):
    """An organisation of this name exists."""

    code = "slug-taken"


class LastOwner(Conflict):
    """An organisation needs an owner."""

    code = "last-owner"
    default_hint = "Make somebody else an owner first."


class AccountNotFound(NotFound):
    """There is no such user, member, organisation or token here."""

    code = "account-not-found"


class TooManySignIns(RateLimited):
    """Too many failed sign-ins."""

    code = "too-many-sign-ins"
