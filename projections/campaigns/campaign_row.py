"""A campaign as the table `campaign_board` shows it."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from domain.campaigns.campaign_terms import CallingTerms
from domain.states import shown_counts
from domain.values import CampaignState, DialMode, PauseCause
from projections.campaigns.campaign_terms import terms_of
from projections.tables.row_operations import Columns
from projections.tables.state_sql import COUNTER


@dataclass(frozen=True, slots=True)
class CampaignProgress:
    """Counters that add up to `contacts`, as of the log's `position`."""

    campaign_id: UUID
    state: CampaignState
    contacts: int
    pending: int
    queued: int
    ringing: int
    in_progress: int
    ended: int
    failed: int
    canceled: int
    timed_out: int
    awaiting_reports: int
    spend: Decimal
    position: int

    @property
    def active(self) -> int:
        return self.queued + self.ringing + self.in_progress


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignRow(CampaignProgress):
    """A campaign with its counters, all of one moment; money in US dollars."""

    name: str
    pause_cause: PauseCause | None
    reason_words_id: UUID | None
    mode: DialMode
    cap: int
    line_quiet_gating: bool
    assistant_id: UUID
    provider_assistant_id: str
    phone_number_id: str
    budget: Decimal | None
    longest_call_seconds: int
    created_at: datetime
    created_by: str
    queued_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    costs_reported: int
    version: int
    terms: str
    expired_at: datetime | None
    redial_of: UUID | None
    is_test: bool
    assistant_changed_at: datetime | None

    @property
    def id(self) -> UUID:
        return self.campaign_id

    @property
    def calling_terms(self) -> CallingTerms:
        return terms_of(self.terms)

    def with_shown_counters(self) -> "CampaignRow":
        """Return the row with shown counters instead of stored ones."""
        stored = {status: getattr(self, name) for status, name in COUNTER.items()}
        expired = self.expired_at is not None
        counts = shown_counts(stored, self.state, expired=expired).items()
        columns: Columns = {COUNTER[status]: count for status, count in counts}
        return replace(self, **columns)
