"""Permits of calls in the exported JSON, in the form of the GraphQL type CallPermit.

The query writes each permit as it is stored in the event of the request. Its form for
readers, with an explanation in words, is added here.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, LiteralString

import orjson

from application.calling_rules.permit_words import permit_words
from domain.calls.call import Call
from domain.gate.permit import Permit
from domain.gate.rules import RuleBook
from storage.log.mapper import from_plain

STORED: LiteralString = f"""
    (select json_build_object('stored', request.state -> 'permit',
            'at', request.state ->> 'timestamp')
        from (
            select convert_from(e.state, 'utf8')::json as state from autolynx_events e
            where e.originator_id = call.call_id and e.topic = '{Call.Requested.TOPIC}'
            order by e.originator_version desc limit 1
        ) request
        where json_typeof(request.state -> 'permit') = 'object')
"""  # noqa: S608 - our own text
"""SQL: the stored permit of `call`'s last request and its time; null without one."""

_HAS_PERMIT = b'"permit":{'


def with_permits(pieces: Iterable[bytes], book: RuleBook | None) -> Iterator[bytes]:
    """Replace the stored permits in pieces of whole lines of JSON.

    `book` explains the permits of its version.
    """
    for piece in pieces:
        if _HAS_PERMIT not in piece:
            yield piece
            continue
        lines = piece.splitlines(keepends=True)
        yield b"".join(_line(line, book) for line in lines)


def _line(line: bytes, book: RuleBook | None) -> bytes:
    if _HAS_PERMIT not in line:
        return line
    contact = orjson.loads(line)
    for call in contact["calls"]:
        if call["permit"] is not None:
            call["permit"] = _shown(call["permit"], book)
    return orjson.dumps(contact) + b"\n"


def _shown(found: dict[str, Any], book: RuleBook | None) -> dict[str, Any]:
    permit: Permit = from_plain(Permit, found["stored"])
    granted_at = datetime.fromisoformat(found["at"])
    return {
        "grantedAt": found["at"],
        "places": permit.places,
        "timeZones": permit.time_zones,
        "placeSource": permit.place_source,
        "ruleBook": permit.rule_book,
        "rules": permit.rules,
        "lists": [{"name": one.name, "asOf": one.as_of} for one in permit.lists],
        "attemptsBefore": [
            {"hours": one.hours, "attempts": one.attempts}
            for one in permit.attempts_before
        ],
        "waivedBy": permit.waived_by,
        "words": permit_words(permit, granted_at, book),
    }
