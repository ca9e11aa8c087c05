"""`python -m tests.faults.dying_api TOOL API LIST`: acknowledges opt-outs, then dies.

The arguments are numbers. The first opts out by a tool call, the second is suppressed
by a program, the third by an uploaded list. The process is killed (SIGKILL) as soon as
the last of them is acknowledged.
"""

import os
import signal
import sys
from contextlib import ExitStack
from uuid import uuid4

from application.configuration import Configuration
from application.suppression_lists.service import ListTerms
from domain.numbers.number import SuppressionSource
from projections.connections import open_feed
from provider.vapi.client import VapiProvider
from provider.vapi.messages.reading import read_message
from provider.vapi.settings import VapiSettings
from tests.wiring import BY, UNRESTRICTED, build_services, real_time


def main() -> int:
    by_tool, by_api, by_list = sys.argv[1:]
    url = Configuration().database_url
    assert url is not None
    provider = VapiProvider(VapiSettings(base_url="http://127.0.0.1:1", api_key="x"))
    with ExitStack() as opened:
        feed = opened.enter_context(open_feed(url))
        services = build_services(
            url,
            opened,
            now=real_time,
            provider=provider,
            read_model=feed,
            first=UNRESTRICTED,
        )
        [answer] = services.calls.record_message(
            read_message(_tool_call(by_tool))
        ).answers
        assert answer.result.startswith("Recorded")
        source = SuppressionSource.API
        services.numbers.suppress(by_api, source=source, reason=None, by=BY)
        terms = ListTerms(f"Own {by_list}", as_of=real_time().date())
        services.suppression_lists.receive(terms, [by_list.encode()], by=BY)
        os.kill(os.getpid(), signal.SIGKILL)
    return 0


def _tool_call(number: str) -> dict[str, object]:
    function = {"name": "record_opt_out", "arguments": {}}
    call = {"id": str(uuid4()), "customer": {"number": number}}
    listed = [{"id": "call_1", "function": function}]
    message = {"type": "tool-calls", "call": call, "toolCallList": listed}
    return {"message": message}


if __name__ == "__main__":
    sys.exit(main())
