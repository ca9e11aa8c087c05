"""The domain's enumerations as GraphQL enums."""

import strawberry

from application.contacts.files.column_names import ColumnRole
from domain.numbers.number import SuppressionSource
from domain.outcomes import CallOutcome, Disposition, Withheld
from domain.values import (
    CallStatus,
    CampaignState,
    ContactStatus,
    DialMode,
    PauseCause,
    Role,
    SkipReason,
    WaitingCode,
)

strawberry.enum(CampaignState)
strawberry.enum(ColumnRole)
strawberry.enum(PauseCause)
strawberry.enum(CallStatus)
strawberry.enum(CallOutcome)
strawberry.enum(Disposition)
strawberry.enum(Withheld)
strawberry.enum(ContactStatus)
strawberry.enum(DialMode)
strawberry.enum(Role)
strawberry.enum(SkipReason)
strawberry.enum(SuppressionSource)
strawberry.enum(WaitingCode)


__all__ = [
    "CallOutcome",
    "CallStatus",
    "CampaignState",
    "ColumnRole",
    "ContactStatus",
    "DialMode",
    "Disposition",
    "PauseCause",
    "Role",
    "SkipReason",
    "SuppressionSource",
    "WaitingCode",
    "Withheld",
]
