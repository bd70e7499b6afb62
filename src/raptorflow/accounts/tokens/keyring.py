"""The signing keys of an installation: made once, kept encrypted, rotated with an overlap.

The newest key signs. When it is `key_days` old, the next process that looks makes another; the old one
verifies until the last token it can have signed has expired. Processes look again every few minutes, and
at once when a token names a key they have not seen.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

from joserfc.jwk import OKPKey

from raptorflow.accounts.errors import SigningKeysUnreadable, UnknownKey
from raptorflow.accounts.models import SigningKey
from raptorflow.accounts.settings import AccountsSettings
from raptorflow.accounts.tokens.issuer import Issuer, Session, new_key
from raptorflow.accounts.tokens.repository import TokensRepository
from raptorflow.accounts.tokens.secrets import Sealer
from raptorflow.base.clock import utc_now
from raptorflow.base.json import JsonObject, canonical, loads
from raptorflow.core.db import Database

DEFAULT_ISSUER = "raptorflow"
RELOAD_SECONDS = 300.0
UNKNOWN_KEY_SECONDS = 5.0
OVERLAP_SECONDS = 3600


class Keyring:
    """Gives the issuer over the keys as they are now.

    Args:
        database: where the keys are.
        settings: the secret that opens them, their age, and what the issuer is called.
    """

    def __init__(self, database: Database, settings: AccountsSettings) -> None:
        self._database = database
        self._settings = settings
        self._issuer: Issuer | None = None
        self._loaded_at = 0.0
        self._loading = asyncio.Lock()

    async def issuer(self, *, at_most: float = RELOAD_SECONDS) -> Issuer:
        """The issuer, over keys that were read `at_most` so many seconds ago.

        Raises:
            SigningKeysUnreadable: no secret is set, or the keys were encrypted under another.
        """
        async with self._loading:
            if self._issuer is None or time.monotonic() - self._loaded_at > at_most:
                self._issuer = await self._load()
                self._loaded_at = time.monotonic()
            return self._issuer

    async def verify(self, token: str) -> Session:
        """Who an access token speaks for.

        Raises:
            TokenRefused: it is not valid.
        """
        try:
            return (self._issuer or await self.issuer()).verify(token)
        except UnknownKey:
            return (await self.issuer(at_most=UNKNOWN_KEY_SECONDS)).verify(token)

    async def jwks(self) -> JsonObject:
        """The public keys that verify access tokens."""
        return (await self.issuer()).jwks()

    async def rotate(self) -> None:
        """Let a fresh key sign from now on, here at once and elsewhere within minutes."""
        sealer = self._sealer()
        async with self._database.system_session() as session:
            repository = TokensRepository(session)
            await repository.lock_signing_keys()
            await repository.add(_new_row(sealer))
        await self.issuer(at_most=0.0)

    async def _load(self) -> Issuer:
        sealer = self._sealer()
        async with self._database.system_session() as session:
            repository = TokensRepository(session)
            rows = await repository.signing_keys()
            if self._is_stale(rows):
                await repository.lock_signing_keys()
                rows = await repository.signing_keys()
            if self._is_stale(rows):
                for row in self._retired(rows):
                    await repository.delete_signing_key(row.id)
                await repository.add(_new_row(sealer))
                rows = await repository.signing_keys()
        keys = [_opened(row, sealer) for row in rows]
        return Issuer(keys, self._settings.public_url or DEFAULT_ISSUER, self._settings.access_seconds)

    def _is_stale(self, rows: Sequence[SigningKey]) -> bool:
        return not rows or utc_now() - rows[-1].created_at > timedelta(days=self._settings.key_days)

    def _retired(self, rows: Sequence[SigningKey]) -> list[SigningKey]:
        """Keys whose successor has signed for so long that none of their tokens can still be valid."""
        overlap = self._settings.access_seconds + RELOAD_SECONDS + OVERLAP_SECONDS
        moment = utc_now() - timedelta(seconds=overlap)
        return [row for row, successor in pairwise(rows) if successor.created_at < moment]

    def _sealer(self) -> Sealer:
        if self._settings.secret is None:
            raise SigningKeysUnreadable(
                "RAPTORFLOW_ACCOUNTS__SECRET is not set.",
                hint="Set it to 32 random bytes, or start with `raptorflow run`, which makes one.",
            )
        return Sealer(self._settings.secret.get_secret_value())


def _new_row(sealer: Sealer) -> SigningKey:
    key = new_key()
    return SigningKey(
        created_at=utc_now(),
        public_jwk=dict(key.as_dict(private=False)),
        encrypted_private=sealer.seal(canonical(key.as_dict(private=True)), key.kid or ""),
    )


def _opened(row: SigningKey, sealer: Sealer) -> OKPKey:
    private = sealer.open(row.encrypted_private, str(row.public_jwk["kid"]))
    return OKPKey.import_key(loads(private))
