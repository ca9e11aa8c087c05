"""The stores of a database, which every process needs."""

from dataclasses import dataclass
from functools import cached_property

from projections.calls.message_retention import MessageRetention
from projections.connections import Pools
from storage.access.api_tokens import TokenStore
from storage.access.sessions import Identities, SessionStore, SignInLinks
from storage.database import Pool
from storage.process.decisions import ProcessRecords
from storage.suppression.blocks import BlockStore
from storage.vault.erasure import ErasureStore
from storage.vault.tables import Vault
from storage.vault.uploads import UploadStore


@dataclass(frozen=True, kw_only=True)
class Stores:
    """The stores of one database, each built at its first use."""

    pools: Pools

    @property
    def writing(self) -> Pool:
        return self.pools.writing

    @property
    def reading(self) -> Pool:
        return self.pools.reading

    @cached_property
    def vault(self) -> Vault:
        return Vault(self.writing)

    @cached_property
    def uploads(self) -> UploadStore:
        return UploadStore(self.writing)

    @cached_property
    def erasure(self) -> ErasureStore:
        return ErasureStore(self.writing)

    @cached_property
    def message_retention(self) -> MessageRetention:
        return MessageRetention(self.writing)

    @cached_property
    def process_records(self) -> ProcessRecords:
        return ProcessRecords(self.writing)

    @cached_property
    def suppression_blocks(self) -> BlockStore:
        return BlockStore(self.writing)

    @cached_property
    def tokens(self) -> TokenStore:
        return TokenStore(self.writing)

    @cached_property
    def sessions(self) -> SessionStore:
        return SessionStore(self.writing)

    @cached_property
    def sign_in_links(self) -> SignInLinks:
        return SignInLinks(self.writing)

    @cached_property
    def identities(self) -> Identities:
        return Identities(self.writing)
