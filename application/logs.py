"""Log lines: for a person on a terminal, else one JSON object each, numbers masked."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog

PHONE = re.compile(r"(?<![\w-])\+?\d{7,15}(?![\w-])")
SHOWN = 4

QUIET = ("httpx2", "httpcore2", "psycopg.pool")
"""Libraries whose own lines say nothing that ours do not."""


def configure_logs(level: str, form: Literal["console", "json"] | None) -> None:
    """Send this process's log lines to standard error, called once by its root."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        mask_phones,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
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
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def mask_phones(
    _logger: Any, _method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Leave the last digits of what looks like a phone number."""
    for key, value in line.items():
        if isinstance(value, str) and key != "timestamp":
            line[key] = PHONE.sub(_masked, value)
    return line


def _masked(found: re.Match[str]) -> str:
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
