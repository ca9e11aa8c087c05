"""The words that the whole domain shares."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from uuid import UUID, uuid5

# Ids that are made from other ids hang from this one; it never changes.
NAMESPACE = UUID("6f1c5a52-0c7e-5d0b-9d4e-5a1f3d8c2b70")


class CampaignState(StrEnum):
    CREATED = "CREATED"
    QUEUED = "QUEUED"
    DIALING = "DIALING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    COMPLETED = "COMPLETED"
    CANCELED = "CANCELED"
    FAILED = "FAILED"


class PauseCause(StrEnum):
    PERSON = "PERSON"
    BUDGET = "BUDGET"
    ACCOUNT = "ACCOUNT"
    PROVIDER_REFUSALS = "PROVIDER_REFUSALS"
    DUPLICATE_DETECTED = "DUPLICATE_DETECTED"


class RefusalKind(StrEnum):
    """What the provider's refusal to call is about; it decides who has to wait.

    CAPACITY: too many calls or requests at the moment. ACCOUNT: the account, the
    assistant or the line may not call at all. CONTACT: this number may not be called.
    PLATFORM: a fault of the provider's own, or a refusal that no rule classifies.
    """

    CAPACITY = "CAPACITY"
    ACCOUNT = "ACCOUNT"
    CONTACT = "CONTACT"
    PLATFORM = "PLATFORM"


class RefusalScope(StrEnum):
    """Which campaigns a refusal of the kind ACCOUNT stops: those that share this."""

    ACCOUNT = "ACCOUNT"
    ASSISTANT = "ASSISTANT"
    LINE = "LINE"


class DialMode(StrEnum):
    CONTINUOUS = "CONTINUOUS"
    BATCH = "BATCH"


class CallStatus(StrEnum):
    QUEUED = "QUEUED"
    RINGING = "RINGING"
    IN_PROGRESS = "IN_PROGRESS"
    ENDED = "ENDED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    TIMEOUT = "TIMEOUT"


class ContactStatus(StrEnum):
    """What a contact counts as: the status of its latest call, or PENDING."""

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


class Role(StrEnum):
    OPERATOR = "OPERATOR"
    ADMIN = "ADMIN"
    AUDITOR = "AUDITOR"


class SkipReason(StrEnum):
    MISSING_NAME = "MISSING_NAME"
    MISSING_PHONE = "MISSING_PHONE"
    INVALID_PHONE = "INVALID_PHONE"
    DUPLICATE_IN_FILE = "DUPLICATE_IN_FILE"
    DUPLICATE_IN_CAMPAIGN = "DUPLICATE_IN_CAMPAIGN"
    MALFORMED_ROW = "MALFORMED_ROW"
    ERASED = "ERASED"


ZERO = Decimal(0)

LARGEST_AMOUNT, FINEST_DIGIT = Decimal(10**12), -12
AMOUNTS = "must be above 0, at most 1,000,000,000,000, with 12 decimals at most"


def is_amount(value: Decimal) -> bool:
    """Say whether a person may set it: every part of the system can hold it."""
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):
        return False  # No number, or none that ends.
    return exponent >= FINEST_DIGIT and 0 < value <= LARGEST_AMOUNT


def campaign_id_of(upload_id: UUID) -> UUID:
    return uuid5(NAMESPACE, f"campaign:{upload_id}")


def call_id_of(contact_id: UUID, attempt: int) -> UUID:
    return uuid5(contact_id, str(attempt))


def member_id_of(email: str) -> UUID:
    return uuid5(NAMESPACE, f"member:{email.strip().lower()}")


@dataclass(frozen=True, slots=True)
class Evidence:
    """The provider's message behind a fact; its redacted text lies in the vault."""

    message_id: UUID
    digest: str


@dataclass(frozen=True, slots=True)
class VaultText:
    """What a person or the provider wrote; the text lies in the vault."""

    words_id: UUID
    digest: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """The provider refused to call, and nobody was rung.

    `scope` is set only for the kind ACCOUNT, and None there where the answer does not
    name it. `rule` identifies the rule that classified the provider's answer.
    """

    kind: RefusalKind
    scope: RefusalScope | None
    rule: str
