"""What can go wrong with identity."""

from raptorflow.base.errors import (
    Conflict,
    InvalidInput,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    PartUnavailable,
    RateLimited,
)


class SignInRefused(NotAuthenticated):
    """The address or the password is wrong; which one is not said."""

    code = "sign-in-refused"
    default_hint = "Check both, or ask an administrator for a one-time link."


class LinkSpent(NotAuthenticated):
    """A one-time link was used before, is too old, was taken back, or never existed."""

    code = "link-spent"
    default_hint = "Ask for a new one; `raptorflow run` prints one at each start."


class TokenRefused(NotAuthenticated):
    """A token is not valid, not valid any more, or was not issued here."""

    code = "token-refused"


class UnknownKey(TokenRefused):
    """A token names a signing key that is not known (yet)."""


class RefreshReused(NotAuthenticated):
    """A refresh token was used twice, so that its whole family was revoked."""

    code = "refresh-reused"
    default_hint = "Sign in again; if this was not you, change your password."


class ScopeMissing(NotPermitted):
    """The token was not given this scope."""

    code = "scope-missing"
    default_hint = "Make a token with this scope."


class SessionNeeded(NotPermitted):
    """A personal access token cannot make other credentials, or it would outgrow its scopes."""

    code = "session-needed"
    default_hint = "Sign in, and do it from there."


class RoleTooLow(NotPermitted):
    """The caller's role in the organisation does not allow this."""

    code = "role-too-low"
    default_hint = "Ask an administrator of the organisation."


class ServerAdminNeeded(NotPermitted):
    """Only an administrator of the server may do this."""

    code = "server-admin-needed"


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


class AlreadyMember(Conflict):
    """The person is in the organisation."""

    code = "already-member"


class InvitationForAccount(Conflict):
    """An invitation's address has an account, which nobody but its owner signs in to."""

    code = "invitation-for-account"
    default_hint = "Sign in, then accept the invitation; it has not been used up."


class SlugTaken(Conflict):
    """An organisation of this name exists, or the name is kept for the product."""

    code = "slug-taken"
    default_hint = "Choose another slug."


class LastOwner(Conflict):
    """An organisation needs an owner, and a personal one the person it is of."""

    code = "last-owner"
    default_hint = "Make somebody else an owner first."


class AccountNotFound(NotFound):
    """There is no such user, member, organisation, invitation or token here."""

    code = "account-not-found"


class TooManySignIns(RateLimited):
    """Too many failed sign-ins."""

    code = "too-many-sign-ins"
    default_hint = "Wait, or use a one-time link."


class SigningKeysUnreadable(PartUnavailable):
    """The signing keys cannot be opened with the secret there is."""

    code = "signing-keys-unreadable"
    default_hint = "Restore RAPTORFLOW_ACCOUNTS__SECRET (or the data folder's secrets file)."
