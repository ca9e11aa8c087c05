import json
import logging
from collections.abc import Iterator

import pytest
from structlog.contextvars import bound_contextvars

from application.logs import configure_logs


@pytest.fixture(autouse=True)
def other_logs() -> Iterator[None]:
    """Put the root logger back as it was."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)


def test_a_line_names_what_it_is_about_and_masks_numbers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs("info", "json")
    with bound_contextvars(request="r-1", campaign="c-1", call="k-1"):
        logging.getLogger("some").warning("no answer from %s", "+12025550123")
    line = json.loads(capsys.readouterr().err)
    assert (line["request"], line["campaign"], line["call"]) == ("r-1", "c-1", "k-1")
    assert line["event"] == "no answer from …0123"
    assert "+12025550123" not in json.dumps(line)
