"""Types and ids that the whole domain shares."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from uuid import UUID, uuid5

NAMESPACE = UUID("6f1c5a52-0c7e-5d0b-9d4e-5a1f3d8c2b70")
"""Namespace of the derived ids (UUID version 5); it never changes."""


class CampaignState(StrEnum):
    """State of a campaign; `domain.states` groups them.

    CREATED: not started. QUEUED: started, but the provider has accepted no call yet.
    DIALING: it has accepted a call, but no phone has rung yet. RUNNING: a phone has
    rung. PAUSED: no new calls until it is resumed. COMPLETED: all contacts were called.
    CANCELED: ended by a member. FAILED: its data cannot be processed.
    """

    CREATED = "CREATED"
    QUEUED = "QUEUED"
    DIALING = "DIALING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    COMPLETED = "COMPLETED"
    CANCELED = "CANCELED"
    FAILED = "FAILED"


class PauseCause(StrEnum):
    """Why a campaign is paused.

    PERSON: a member paused it. BUDGET: its budget is spent. ACCOUNT: the provider
    refuses the account, assistant or line. PROVIDER_REFUSALS: many refusals in a row.
    DUPLICATE_DETECTED: the provider has two calls for one of ours.
    """

    PERSON = "PERSON"
    BUDGET = "BUDGET"
    ACCOUNT = "ACCOUNT"
    PROVIDER_REFUSALS = "PROVIDER_REFUSALS"
    DUPLICATE_DETECTED = "DUPLICATE_DETECTED"


class RefusalKind(StrEnum):
    """What the provider's refusal to call is about; it decides what has to wait.

    CAPACITY: too many calls or requests at the moment. ACCOUNT: the account, the
    assistant or the line may not call at all. CONTACT: this number may not be called.
    PLATFORM: a fault of the provider, or a refusal that no rule classifies.
    """

    CAPACITY = "CAPACITY"
    ACCOUNT = "ACCOUNT"
    CONTACT = "CONTACT"
    PLATFORM = "PLATFORM"


class RefusalScope(StrEnum):
    """What a refusal of the kind ACCOUNT is about; all campaigns that use it pause."""

    ACCOUNT = "ACCOUNT"
    ASSISTANT = "ASSISTANT"
    LINE = "LINE"


class DialMode(StrEnum):
    """How a campaign fills its slots.

    CONTINUOUS: each slot as soon as it is free. BATCH: up to as many contacts as slots
    at once, the next ones when no call of that batch is open.
    """

    CONTINUOUS = "CONTINUOUS"
    BATCH = "BATCH"


class CallStatus(StrEnum):
    """Status of a call.

    FAILED: refused, or given up before it was placed. CANCELED: its claim was cancelled
    before any request. TIMEOUT: placed, but the provider does not know it any more.
    """

    QUEUED = "QUEUED"
    RINGING = "RINGING"
    IN_PROGRESS = "IN_PROGRESS"
    ENDED = "ENDED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    TIMEOUT = "TIMEOUT"


class ContactStatus(StrEnum):
    """Status of a contact: that of its latest call, or PENDING."""

    PENDING = "PENDING"
    QUEUED = "QUEUED"
    RINGING = "RINGING"
    IN_PROGRESS = "IN_PROGRESS"
    ENDED = "ENDED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    TIMEOUT = "TIMEOUT"


class WaitingCode(StrEnum):
    """Why contacts of a campaign are not called yet."""

    CAP_FULL = "CAP_FULL"
    GLOBAL_CAP_FULL = "GLOBAL_CAP_FULL"
    BATCH_UNDER_WAY = "BATCH_UNDER_WAY"
    LINE_BUSY = "LINE_BUSY"
    RATE_LIMITED = "RATE_LIMITED"
    PROVIDER_BUSY = "PROVIDER_BUSY"
    PROVIDER_DOWN = "PROVIDER_DOWN"
    BUDGET_SPENT = "BUDGET_SPENT"
    DAILY_BUDGET_SPENT = "DAILY_BUDGET_SPENT"
    PAUSED = "PAUSED"
    RETRY_LATER = "RETRY_LATER"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
    DUPLICATE_DETECTED = "DUPLICATE_DETECTED"
    SCHEDULED = "SCHEDULED"
    """The campaign's start time has not come yet."""
    OUTSIDE_HOURS = "OUTSIDE_HOURS"
    """Calls are not allowed at the contact's place at this time."""
    RETRY_PLANNED = "RETRY_PLANNED"
    CALLBACK_PLANNED = "CALLBACK_PLANNED"
    """The contact asked to be called at a later time."""
    FREQUENCY_CAP = "FREQUENCY_CAP"
    """The number was called as often as the frequency caps allow."""
    LIST_STALE = "LIST_STALE"
    """A suppression list that covers the number is older than its maximum age."""
    RULES_UNAVAILABLE = "RULES_UNAVAILABLE"
    """The rule book or a list cannot be read, or the places are not known yet."""
    NO_RULES = "NO_RULES"
    """There are no calling rules for the country; an admin may waive them."""


class Role(StrEnum):
    """What a member may do.

    OPERATOR: run campaigns. AUDITOR: read the log. ADMIN: both, and change members,
    settings and assistants.
    """

    OPERATOR = "OPERATOR"
    ADMIN = "ADMIN"
    AUDITOR = "AUDITOR"


class SkipReason(StrEnum):
    """Why a row of a contact file did not become a contact."""

    MISSING_NAME = "MISSING_NAME"
    MISSING_PHONE = "MISSING_PHONE"
    INVALID_PHONE = "INVALID_PHONE"
    DUPLICATE_IN_FILE = "DUPLICATE_IN_FILE"
    DUPLICATE_IN_CAMPAIGN = "DUPLICATE_IN_CAMPAIGN"
    MALFORMED_ROW = "MALFORMED_ROW"
    ERASED = "ERASED"
    INVALID_VALUE = "INVALID_VALUE"
    """A time zone, country, state or consent date is not valid."""


ZERO = Decimal(0)

LARGEST_AMOUNT, LOWEST_EXPONENT = Decimal(10**12), -12
AMOUNT_RULE = "must be above 0 and at most 1,000,000,000,000, with at most 12 decimals"


def is_amount(value: Decimal) -> bool:
    """Return whether `value` follows `AMOUNT_RULE`, so that each part can store it."""
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):
        return False  # NaN or infinity.
    return exponent >= LOWEST_EXPONENT and 0 < value <= LARGEST_AMOUNT


def campaign_id_of(upload_id: UUID) -> UUID:
    """Return the id of the campaign that is created from this upload."""
    return uuid5(NAMESPACE, f"campaign:{upload_id}")


def campaign_id_of_request(request_id: UUID) -> UUID:
    """Return the id of the campaign that a request with an id of its own creates."""
    return uuid5(NAMESPACE, f"campaign request:{request_id}")


def call_id_of(contact_id: UUID, attempt: int) -> UUID:
    """Return the id of a contact's call; `attempt` counts from 1."""
    return uuid5(contact_id, str(attempt))


def member_id_of(email: str) -> UUID:
    """Return the id of a member; case and surrounding blanks do not matter."""
    return uuid5(NAMESPACE, f"member:{email.strip().lower()}")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Reference of an event to the provider's message behind it, in the vault."""

    message_id: UUID
    digest: str


@dataclass(frozen=True, slots=True)
class VaultText:
    """Reference of an event to a text in the vault, with the text's digest."""

    words_id: UUID
    digest: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """The provider refused to call, and no phone rang.

    `scope` is set for the kind ACCOUNT only, if the provider names it. `rule`
    identifies the rule that classified the provider's answer.
    """

    kind: RefusalKind
    scope: RefusalScope | None
    rule: str


def uuid_or_none(text: str) -> UUID | None:
    """Parse an id; return None for text that is no UUID."""
    try:
        return UUID(text)
    except ValueError:
        return None
