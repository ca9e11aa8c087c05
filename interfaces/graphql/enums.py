"""The domain's words, as GraphQL says them."""

from enum import StrEnum

import strawberry

from domain.values import (
    CallStatus,
    CampaignState,
    ContactStatus,
    DialMode,
    PauseCause,
    Role,
    SkipReason,
)

strawberry.enum(CampaignState)
strawberry.enum(PauseCause)
strawberry.enum(CallStatus)
strawberry.enum(ContactStatus)
strawberry.enum(DialMode)
strawberry.enum(Role)
strawberry.enum(SkipReason)


@strawberry.enum
class WaitingCode(StrEnum):
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


__all__ = [
    "CallStatus",
    "CampaignState",
    "ContactStatus",
    "DialMode",
    "PauseCause",
    "Role",
    "SkipReason",
    "WaitingCode",
]
