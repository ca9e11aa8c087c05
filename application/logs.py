"""Log lines: for a person on a terminal, else one JSON object each.

Telephone numbers and tokens are masked, whoever wrote the line.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog

PHONE = re.compile(
    r"(?<![\w-])(?:\+|%2B)?\d{7,15}(?![\w-])"  # As we write it, also in an address.
    r"|\+\d[\d ().-]{5,20}\d"  # As people do.
)
SHOWN = 4
TOKEN = re.compile(r"alx_[\w-]+|(?<=Bearer )[^\s\"',]+", re.IGNORECASE)
HIDDEN = "[hidden]"

OWN = frozenset({"timestamp", "_record", "_from_structlog"})
"""What the formatting itself put into the line."""

LEAST = {
    "httpx2": logging.WARNING,
    "httpcore2": logging.WARNING,
    "psycopg.pool": logging.WARNING,
    "uvicorn.error": logging.INFO,  # Below that it tells headers, cookies with them.
}
"""Libraries whose smaller lines say nothing that ours do not, or too much."""


def configure_logs(level: str, form: Literal["console", "json"] | None) -> None:
    """Send this process's log lines to standard error, called once by its root."""
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
    for name, least in LEAST.items():
        logging.getLogger(name).setLevel(max(root.level, least))


def mask(
    _logger: Any, _method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Leave the last digits of what looks like a phone number, nothing of a token."""
    for key, value in line.items():
        if key not in OWN:
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
    return f"…{found.group()[-SHOWN:]}"


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
