"""Verification of the event history, and its download as evidence, for auditors."""

import os
import subprocess
import sys
from collections.abc import Callable, Generator
from tempfile import TemporaryFile
from threading import Lock
from typing import IO, Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, Response

from interfaces.files.streaming import Streamed
from projections import event_index
from projections.engine.verify import audit_state
from projections.event_index import LoggedEvent, Wanted
from storage.database import Conn, Pool

PAGE = 1_000
COMMAND = "from interfaces.cli.main import main; main()"
FINISHED = {0, 1}
"""Exit codes of a verification that reached its end; 1: it found problems."""


class Verification:
    """Runs `autolynx audit verify` for browsers, one at a time.

    It is a process of its own: in a thread it would delay the answers of the API. Its
    result is stored in the database, from which `Query.audit` reads it.
    """

    def __init__(self, database_url: str) -> None:
        self._environment = os.environ | {"AUTOLYNX_DATABASE_URL": database_url}
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None

    def start(self) -> None:
        """Start a verification after the last verified event, unless one is running."""
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                return
            self._errors = TemporaryFile()  # noqa: SIM115 - read after the process
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-c", COMMAND, "audit", "verify", "--incremental"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
            )

    def state(self) -> dict[str, Any]:
        """Return whether a verification is running, and why the last one failed."""
        with self._lock:
            code = self._process.poll() if self._process is not None else 0
            failed = code is not None and code not in FINISHED
            return {
                "running": code is None,
                "failure": self._last_line() if failed else None,
            }

    def _last_line(self) -> str:
        assert self._errors is not None
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").splitlines()
        return lines[-1] if lines else "The verification was ended."


def evidence_routes(
    *, database_url: str, pool: Pool, authorize: Callable[..., Any]
) -> APIRouter:
    """Build the routes; `authorize` enforces the roles auditor and admin."""
    router = APIRouter()
    verification = Verification(database_url)

    @router.post("/audit/verify")
    def verify(_member: Annotated[Any, Depends(authorize)]) -> Response:
        verification.start()
        return JSONResponse(verification.state(), 202)

    @router.get("/audit/verify")
    def verifying(_member: Annotated[Any, Depends(authorize)]) -> Response:
        return JSONResponse(verification.state())

    @router.get("/audit/evidence.jsonl")
    def evidence(
        _member: Annotated[Any, Depends(authorize)], campaign: UUID | None = None
    ) -> Response:
        name = f"evidence-{campaign}" if campaign else "evidence"
        return Streamed(
            _lines(pool, Wanted(campaign_id=campaign)),
            media_type="application/jsonl",
            filename=f'filename="{name}.jsonl"',
        )

    return router


def _lines(pool: Pool, wanted: Wanted) -> Generator[bytes]:
    """Yield the state of the verification, then each event, as lines of JSON."""
    with pool.connection() as connection:
        yield _line(_verified(connection))
    cursor = None
    while True:
        with pool.connection() as connection:
            page = event_index.page(
                connection, first=PAGE, after=cursor, newest_first=False, wanted=wanted
            )
        for event in page.nodes:
            yield _line(_shown(event))
        if not page.has_next:
            return
        cursor = page.end_cursor


def _verified(conn: Conn) -> dict[str, Any]:
    state = audit_state(conn)
    problem = state.first_problem
    return {
        "verifiedUpTo": state.verified_up_to,
        "verifiedAt": state.verified_at,
        "head": state.head,
        "firstProblem": problem.message if problem else None,
    }


def _shown(event: LoggedEvent) -> dict[str, Any]:
    return {
        "position": event.position,
        "type": event.type,
        "occurredAt": event.occurred_at,
        "actor": event.actor,
        "aggregateType": event.aggregate_type,
        "aggregateId": event.aggregate_id,
        "version": event.version,
        "payload": event.payload,
    }


def _line(value: dict[str, Any]) -> bytes:
    return orjson.dumps(value, default=str, option=orjson.OPT_APPEND_NEWLINE)
