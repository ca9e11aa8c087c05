"""SQL for the reason for which a contact waits on its own account.

The rule is `domain.planning.waiting.own_reason`, which a test compares with this SQL.
"""

from typing import LiteralString

from domain.contacts.contact_history import PlanKind
from domain.values import WaitingCode

PLANNED_CODE: LiteralString = f"""
    case when k.planned_kind = '{PlanKind.CALLBACK}'
        then '{WaitingCode.CALLBACK_PLANNED}'
        else '{WaitingCode.RETRY_PLANNED}' end
"""
"""SQL expression: why the contact `k` waits for its planned call."""

DEFERRED_CODE: LiteralString = f"""
    coalesce(k.deferred_code, '{WaitingCode.RETRY_LATER}')
"""
"""SQL expression: why the contact `k` waits after a request that was not made."""

OWN_CODE: LiteralString = f"""
    case
        when k.planned_at > %(now)s::timestamptz then {PLANNED_CODE}
        when k.due_at > %(now)s::timestamptz then {DEFERRED_CODE}
    end
"""
"""SQL expression of `own_reason` for the contact `k` at the parameter `now`."""
