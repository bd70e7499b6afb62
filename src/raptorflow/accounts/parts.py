"""What the accounts' services share."""

from dataclasses import dataclass, field

from raptorflow.accounts.identity import Caller
from raptorflow.accounts.settings import AccountsSettings
from raptorflow.accounts.tokens.keyring import Keyring
from raptorflow.accounts.tokens.recent import Recent
from raptorflow.accounts.tokens.standings import Standings
from raptorflow.core.db import Database
from raptorflow.core.valkey import Valkey


@dataclass(frozen=True)
class Parts:
    """The database, the counters, the keys, and what is believed for seconds.

    Attributes:
        standings: of sessions.
        token_owners: of personal access tokens, by the token's hash.
    """

    database: Database
    valkey: Valkey
    settings: AccountsSettings
    keyring: Keyring
    standings: Standings
    token_owners: Recent[str, Caller] = field(default_factory=Recent[str, Caller])

    def forget(self) -> None:
        """Ask the database again: somebody's standing has changed."""
        self.standings.forget()
        self.token_owners.forget()
