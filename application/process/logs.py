"""Logging: readable text on a terminal, otherwise one JSON object for each line.

Phone numbers and tokens are masked, also in lines of libraries.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog

PHONE = re.compile(
    r"(?<![\w-])(?:\+|%2B)?\d{7,15}(?![\w-])"  # E.164, also percent-encoded.
    r"|\+\d[\d ().-]{5,20}\d"  # As people write it.
)
SHOWN_DIGITS = 4
TOKEN = re.compile(r"alx_[\w-]+|(?<=Bearer )[^\s\"',]+", re.IGNORECASE)
HIDDEN = "[hidden]"

UNMASKED = frozenset({"timestamp", "_record", "_from_structlog"})
"""Fields that structlog itself adds to a line."""

LOWEST_LEVELS = {
    "httpx2": logging.WARNING,
    "httpcore2": logging.WARNING,
    "psycopg.pool": logging.WARNING,
    "uvicorn.error": logging.INFO,  # Below, it logs headers, with cookies.
}
"""Libraries whose lines below this level are redundant, or contain secrets."""


def configure_logs(level: str, form: Literal["console", "json"] | None) -> None:
    """Configure logging of this process to standard error.

    `level` is a level's name. `form` None means console on a terminal, otherwise JSON.
    To be called once, by the composition root.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        mask,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer = _renderer(form)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[_plain, renderer]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name, lowest in LOWEST_LEVELS.items():
        logging.getLogger(name).setLevel(max(root.level, lowest))


def mask(
    _logger: Any, _method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Structlog processor: mask phone numbers, except the last digits, and tokens."""
    for key, value in line.items():
        if key not in UNMASKED:
            line[key] = _masked(value)
    return line


def _masked(value: Any) -> Any:
    match value:
        case str():
            return TOKEN.sub(HIDDEN, PHONE.sub(_last_digits, value))
        case dict():
            return {key: _masked(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_masked(inner) for inner in value]
        case int() | float() | bool() | None:
            return value
    return _masked(str(value))


def _last_digits(found: re.Match[str]) -> str:
    return f"…{found.group()[-SHOWN_DIGITS:]}"


def _plain(
    _logger: Any, _method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    line.pop("_record", None)
    line.pop("_from_structlog", None)
    return line


def _renderer(form: Literal["console", "json"] | None) -> Any:
    if form == "console" or (form is None and sys.stderr.isatty()):
        return structlog.dev.ConsoleRenderer()
    return structlog.processors.JSONRenderer()
