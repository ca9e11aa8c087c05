"""Each handler is called for every event for which it returns something."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from domain.calls.call import Call
from projections.engine.schema import HANDLERS
from projections.registers.settings_board import settings_board
from projections.spend import spend
from projections.tables.handlers import handlers_of
from tests.golden.catalogue import event_of, golden_files, topic_of
from tests.projections.handler_outputs import POSITION, variants


def events() -> Iterator[Any]:
    """Yield the golden events, and variants of them."""
    for file in golden_files():
        topic = topic_of(file)
        golden = event_of(topic, orjson.loads(file.read_bytes()))
        yield golden
        yield from variants(golden, topic)


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.__name__)
def test_a_handler_returns_nothing_for_events_that_it_does_not_declare(
    handler: Any,
) -> None:
    called, left_out = 0, []
    for event in events():
        if handlers_of(type(event), [handler]):
            called += bool(list(handler(event, POSITION)))
        elif list(handler(event, POSITION)):
            left_out.append(type(event).__qualname__)
    assert left_out == []
    assert called, "no golden event reaches the handler"


def test_handlers_keep_their_order_and_leave_out_others() -> None:
    chosen = handlers_of(Call.Reported, HANDLERS)
    assert spend in chosen
    assert settings_board not in chosen
    assert [one for one in HANDLERS if one in chosen] == list(chosen)
