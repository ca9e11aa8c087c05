"""Log lines contain their context, but no phone numbers and no tokens."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from structlog.contextvars import bound_contextvars

from application.process.logs import configure_logs

TOKEN = "alx_4f0aSecretSecretSecret_x"


@pytest.fixture(autouse=True)
def restored_root_logger() -> Iterator[None]:
    """Restore the root logger."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)


def test_a_line_has_its_context_and_masks_numbers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs("info", "json")
    with bound_contextvars(request="r-1", campaign="c-1", call="k-1"):
        logging.getLogger("some").warning("no answer from %s", "+12025550123")
    line = json.loads(capsys.readouterr().err)
    assert (line["request"], line["campaign"], line["call"]) == ("r-1", "c-1", "k-1")
    assert line["event"] == "no answer from …0123"
    assert "+12025550123" not in json.dumps(line)


@pytest.mark.parametrize(
    ("value", "hidden"),
    [
        ("+1 (202) 555-0123 is busy", "(202"),
        ("GET /calls?to=%2B12025550123", "2025550"),
        ({"customer": [{"number": "+12025550123"}]}, "2025550"),
        (("12025550123",), "2025550"),
        (ValueError("Key (phone)=(+12025550123) exists"), "2025550"),
        (f"Authorization: Bearer {TOKEN}", "Secret"),
        ({"authorization": f"bearer {TOKEN}"}, "Secret"),
        ("Bearer of-another-kind", "another"),
    ],
)
def test_no_line_contains_a_number_or_a_token(
    value: Any, hidden: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs("info", "json")
    structlog.get_logger("some").warning("it failed", value=value)
    logging.getLogger("some").warning("it failed: %s", value)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert len(lines) == 2
    assert hidden not in str(lines)


def test_an_error_is_masked_with_its_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs("info", "json")
    try:
        dict[str, str]().pop("+12025550123")
    except KeyError:
        logging.getLogger("some").exception("it failed")
    line = json.loads(capsys.readouterr().err)
    assert "KeyError: '…0123'" in line["exception"]


def test_ids_times_and_counts_are_not_masked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs("info", "json")
    fields = {"position": 12_345_678, "call": "0b9f3a52-8a51-5c0e-9d3c-aa7712345678"}
    structlog.get_logger("some").info("as it is", **fields)
    line = json.loads(capsys.readouterr().err)
    assert line | fields == line
    assert line["timestamp"].startswith("20")
