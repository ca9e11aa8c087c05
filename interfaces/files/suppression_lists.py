"""Upload of suppression lists: text, CSV, or a zip file of them."""

import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from tempfile import TemporaryFile
from typing import IO, Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response
from psycopg import OperationalError
from psycopg_pool import PoolTimeout

from application.errors import StoreUnavailable, UnreadableList
from application.suppression_lists.blocks import TooScattered
from application.suppression_lists.service import ListTerms, SuppressionListService
from domain.errors import Invalid
from domain.gate.rules import CallPurpose
from domain.numbers.suppression_lists import Freshness, ListVersion
from interfaces.database_errors import unavailable_message
from interfaces.files.upload_body import Body, Pace, Refused, RefusingRoute, refusal_of

LARGEST_FILE = 8 << 30
"""Bytes of a file, and of the unpacked files of a zip: 300 million numbers fit."""

AT_ONCE = 1
"""Lists that one process receives at a time; others wait."""

_PIECE = 1 << 20
_ZIP = b"PK\x03\x04"


def suppression_list_routes(
    *,
    service: SuppressionListService,
    authorize: Callable[..., Any],
    default_region: Callable[[], str],
    today: Callable[[], date],
    largest_file: int = LARGEST_FILE,
) -> APIRouter:
    """Build the route; `authorize` enforces the role admin and yields an e-mail."""
    router = APIRouter(route_class=RefusingRoute)
    limiter = CapacityLimiter(AT_ONCE)

    @router.post("/suppression-lists", max_body_size=sys.maxsize)
    async def upload(
        request: Request,
        member: Annotated[str, Depends(authorize)],
        *,
        name: str = "",
        as_of: Annotated[str, Query(alias="asOf")] = "",
        max_age_days: Annotated[str, Query(alias="maxAgeDays")] = "",
        covers: Annotated[list[str] | None, Query()] = None,
        purpose: Annotated[list[str] | None, Query()] = None,
    ) -> Response:
        body = Body(request, Pace())
        try:
            body.limit(largest_file)
            region = await to_thread.run_sync(default_region)
            terms = read_terms(
                name=name,
                as_of=as_of,
                max_age_days=max_age_days,
                covers=covers,
                purposes=purpose,
                region=region,
            )
            received = await to_thread.run_sync(
                _receive, service, terms, body, member, largest_file, limiter=limiter
            )
        except Refused as refused:
            return refusal_of(refused, drain=not body.ended)
        return JSONResponse(shown(received, today()), 201)

    return router


def _receive(
    service: SuppressionListService,
    terms: ListTerms,
    body: Body,
    member: str,
    largest: int,
) -> ListVersion:
    try:
        service.check(terms)
        pieces = iter(body)
        first = next(pieces, b"")
        content = _chained(first, pieces)
        if first.startswith(_ZIP):
            content = unpacked(content, largest)
        version, _ = service.receive(terms, content, by=member)
    except Invalid as error:
        raise Refused(400, "INVALID", str(error)) from error
    except UnreadableList as error:
        raise Refused(422, "UNREADABLE_FILE", str(error)) from error
    except TooScattered as error:
        message = "The file has numbers of too many countries: is it a list of numbers?"
        raise Refused(422, "UNREADABLE_FILE", message) from error
    except OSError as error:
        message = f"The list cannot be stored ({error.strerror}): free disk space."
        raise Refused(503, "UNAVAILABLE", message) from error
    except (StoreUnavailable, OperationalError, PoolTimeout) as error:
        raise Refused(503, "UNAVAILABLE", unavailable_message(error)) from error
    return version


def _chained(first: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from pieces


def unpacked(pieces: Iterator[bytes], largest: int) -> Iterator[bytes]:
    """Yield the content of all files in a zip file, one after the other.

    Raises Refused for a damaged file, an encrypted one, or more than `largest` bytes.
    """
    with TemporaryFile() as file:
        for piece in pieces:
            file.write(piece)
        try:
            with zipfile.ZipFile(file) as archive:
                yield from _members(archive, largest)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            message = f"The zip file cannot be unpacked: {error}."
            raise Refused(422, "UNREADABLE_FILE", message) from error


def _members(archive: zipfile.ZipFile, largest: int) -> Iterator[bytes]:
    left = largest
    for info in archive.infolist():
        if info.is_dir():
            continue
        with archive.open(info) as member:
            for piece in _pieces(member):
                left -= len(piece)
                if left < 0:
                    message = f"The zip file has more than {largest:,} bytes unpacked."
                    raise Refused(413, "TOO_LARGE", message)
                yield piece
        yield b"\n"


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece


def read_terms(
    *,
    name: str,
    as_of: str,
    max_age_days: str,
    covers: list[str] | None,
    purposes: list[str] | None,
    region: str,
) -> ListTerms:
    """Read the parameters of a list. Raises Refused with what to send."""
    try:
        day = date.fromisoformat(as_of)
    except ValueError:
        message = "Send asOf, the date of the list's data, such as asOf=2026-11-20."
        raise Refused(400, "INVALID", message) from None
    days: int | None = None
    if max_age_days:
        with suppress(ValueError):
            days = int(max_age_days)
        if days is None:
            message = "maxAgeDays must be a whole number, such as maxAgeDays=31."
            raise Refused(400, "INVALID", message)
    try:
        known = tuple(CallPurpose(one.upper()) for one in purposes or ())
    except ValueError:
        message = f"purpose must be one of {', '.join(CallPurpose)}."
        raise Refused(400, "INVALID", message) from None
    # A plus sign in a query string means a space.
    prefixes = tuple(f"+{one.strip().lstrip('+')}" for one in covers or ())
    return ListTerms(name, day, days, prefixes, known, region)


def shown(version: ListVersion, today: date) -> dict[str, Any]:
    """Return a version as JSON."""
    freshness: Freshness = version.freshness(today)
    return {
        "id": str(version.list_id),
        "name": version.name,
        "asOf": version.as_of.isoformat(),
        "maxAgeDays": version.max_age_days,
        "freshness": freshness,
        "numbers": version.numbers,
        "covers": list(version.covers),
        "purposes": list(version.purposes),
        "sha256": version.sha256,
    }
