"""The signing keys of an installation: made once, kept encrypted, the newest signs."""

from joserfc.jwk import OKPKey

from raptorflow.accounts.errors import TokenRefused
from raptorflow.accounts.issuer import Issuer, new_key
from raptorflow.accounts.models import SigningKey
from raptorflow.accounts.repository import AccountsRepository
from raptorflow.accounts.secrets import Sealer
from raptorflow.accounts.settings import AccountsSettings
from raptorflow.base.json import canonical, loads
from raptorflow.core.db import Database

KEPT_KEYS = 2
DEFAULT_ISSUER = "raptorflow"


async def load_issuer(database: Database, settings: AccountsSettings) -> Issuer:
    """The issuer over this installation's keys; the first start makes one.

    Raises:
        TokenRefused: no secret is set, or the keys were encrypted under another.
    """
    sealer = _sealer(settings)
    async with database.system_session() as session:
        repository = AccountsRepository(session)
        rows = list(await repository.signing_keys())
        if not rows:
            rows = [await _add_key(repository, sealer)]
    keys = [_opened(row, sealer) for row in rows]
    return Issuer(keys, settings.public_url or DEFAULT_ISSUER, settings.access_seconds)


async def rotate_key(database: Database, settings: AccountsSettings) -> None:
    """Let a fresh key sign from the next start on; the one before still verifies."""
    async with database.system_session() as session:
        repository = AccountsRepository(session)
        rows = await repository.signing_keys()
        await _add_key(repository, _sealer(settings))
        for row in rows[: 1 - KEPT_KEYS]:
            await session.delete(row)


async def _add_key(repository: AccountsRepository, sealer: Sealer) -> SigningKey:
    key = new_key()
    row = SigningKey(
        public_jwk=dict(key.as_dict(private=False)),
        encrypted_private=sealer.seal(canonical(key.as_dict(private=True)), key.kid or ""),
    )
    await repository.add(row)
    return row


def _opened(row: SigningKey, sealer: Sealer) -> OKPKey:
    private = sealer.open(row.encrypted_private, str(row.public_jwk["kid"]))
    return OKPKey.import_key(loads(private))


def _sealer(settings: AccountsSettings) -> Sealer:
    if settings.secret is None:
        raise TokenRefused(
            "RAPTORFLOW_ACCOUNTS__SECRET is not set.",
            hint="Set it to 32 random bytes, or start with `raptorflow run`, which makes one.",
        )
    return Sealer(settings.secret.get_secret_value())
