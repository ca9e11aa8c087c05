"""Placed calls that have not rung, and whose number a list forbids since the request.

A list that was active before the request was looked up by the check before it.
"""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import LiteralString
from uuid import UUID

from application.suppression_lists.list_blocks import ListBlocks
from domain.gate.rules import CallPurpose
from domain.numbers.suppression_lists import Freshness, ListVersion
from projections.campaigns.campaign_terms import terms_of
from projections.registers.suppression_list_board import versions
from storage.database import Conn

SKEW = timedelta(minutes=1)
"""By how much the clocks of two processes may differ."""

_UNRUNG: LiteralString = """
    select c.call_id, v.phone, b.terms
    from unrung_call c
    join dial_queue q using (call_id)
    join call_log l using (call_id)
    join campaign_board b on b.id = l.campaign_id
    join contact_log k on k.contact_id = l.contact_id
    join contact_vault v on v.contact_id = k.contact_id and v.list_id = k.list_id
        and v.salt is not null
    where c.placed and q.requested_at <= %(activated)s and v.phone is not null
"""
_ACTIVATED: LiteralString = "select max(uploaded_at) from suppression_list_board"


def listed_calls(conn: Conn, *, blocks: ListBlocks, now: datetime) -> set[UUID]:
    """Return the unrung calls whose number a valid list contains by now."""
    row = conn.execute(_ACTIVATED).fetchone()
    if row is None or row[0] is None:
        return set()
    calls = _unrung(conn, row[0] + SKEW)
    active = versions(conn) if calls else []
    return {
        call_id
        for version in active
        if version.freshness(now.date()) is not Freshness.STALE
        for call_id in _contained(version, calls, blocks)
    }


def _unrung(conn: Conn, activated: datetime) -> dict[CallPurpose, dict[UUID, str]]:
    """Return the numbers of the calls requested before, by purpose and call."""
    found: defaultdict[CallPurpose, dict[UUID, str]] = defaultdict(dict)
    for call_id, phone, terms in conn.execute(_UNRUNG, {"activated": activated}):
        found[terms_of(terms).purpose][call_id] = phone
    return found


def _contained(
    version: ListVersion, calls: dict[CallPurpose, dict[UUID, str]], blocks: ListBlocks
) -> set[UUID]:
    covered = {
        call_id: phone
        for purpose, own in calls.items()
        if version.is_about(purpose)
        for call_id, phone in own.items()
        if version.covers_number(phone)
    }
    if not covered:
        return set()
    contained, _ = blocks.look_up_many(version.version_id, list(covered.values()))
    return {call_id for call_id, phone in covered.items() if phone in contained}
