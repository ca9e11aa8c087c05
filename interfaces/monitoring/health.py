"""Liveness (/healthz) and readiness (/readyz) of the API."""

from collections.abc import Callable, Iterator
from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from psycopg import Error

from application.errors import StoreUnavailable
from projections.engine.schema import outdated_message
from projections.monitoring.lag import lag
from storage.database import Pool, RetryPolicy, within
from storage.fitness import why_unwritable
from storage.migrate import (
    DatabaseTooNew,
    MigrationChanged,
    UnfitServer,
    pending,
)

MOST_LAG_SECONDS = 10.0
DATABASE_SECONDS = 2.0

type Check = Callable[[], str | None]
"""Returns the fault, None if there is none."""


def health_routes(*, pool: Pool, url: str, now: Callable[[], datetime]) -> APIRouter:
    """Build the routes; `pool` reads the read model of the database at `url`."""
    router = APIRouter()
    checks: dict[str, Check] = {
        "database": lambda: _database(pool),
        "writes": lambda: why_unwritable(url),
        "migrations": lambda: _migrations(url),
        "read tables": lambda: _read_tables(pool),
        "projector": lambda: _projector(pool, now()),
    }

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/readyz")
    def readyz() -> Response:
        wrong = dict(_wrong(checks))
        if not wrong:
            return JSONResponse({"status": "ok", "checks": dict.fromkeys(checks, "ok")})
        message = "; ".join(f"{name}: {what}" for name, what in wrong.items())
        error = {"code": "UNAVAILABLE", "message": message}
        others = "unknown" if "database" in wrong else "ok"
        results = dict.fromkeys(checks, others) | wrong
        return JSONResponse({"error": error, "checks": results}, 503)

    return router


def _wrong(checks: dict[str, Check]) -> Iterator[tuple[str, str]]:
    """Yield the faults; without a database the other checks are skipped."""
    for name, check in checks.items():
        try:
            with within(DATABASE_SECONDS):
                what = check()
        except (Error, StoreUnavailable) as error:
            what = str(error).splitlines()[0] if str(error) else type(error).__name__
        if what is not None:
            yield name, what
            if name == "database":
                return


def _database(pool: Pool) -> str | None:
    RetryPolicy(DATABASE_SECONDS).run(pool, lambda conn, _: conn.execute("select 1"))
    return None


def _migrations(url: str) -> str | None:
    try:
        missing = pending(url)
    except (UnfitServer, MigrationChanged, DatabaseTooNew) as error:
        return str(error)
    return f"missing: {', '.join(missing)}; run autolynx migrate" if missing else None


def _read_tables(pool: Pool) -> str | None:
    with pool.connection(timeout=DATABASE_SECONDS) as connection:
        return outdated_message(connection)


def _projector(pool: Pool, now: datetime) -> str | None:
    with pool.connection(timeout=DATABASE_SECONDS) as connection:
        behind = lag(connection, now)
    if behind.seconds > MOST_LAG_SECONDS:
        return (
            f"{behind.seconds:.0f} s behind; check that a projector runs"
            f" and does not stop at {behind.next_event}"
        )
    return None
