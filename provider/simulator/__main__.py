"""`python -m provider.simulator`: serve the simulated API until a signal."""

import argparse
import json
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import uvicorn

from application.process.gc_tuning import collect_in_background, enable_after_loading
from provider.simulator.api.answers import Line
from provider.simulator.api.routes import build_app
from provider.simulator.faults.fault_plan import CallFault, RequestFault, WebhookFault
from provider.simulator.people.scenes import Scene
from provider.simulator.settings import SimulatorSettings, read_settings, varied

SECONDS_TO_FINISH = 1


def main(argv: Sequence[str] | None = None) -> None:
    """Parse arguments, bind the port, print the URL, and serve."""
    enable_after_loading()
    collect_in_background()
    settings = _settings(argv)
    with _bound(settings) as listener:
        settings = replace(settings, port=listener.getsockname()[1])
        sys.stdout.write(f"Provider simulator on {settings.base_url}\n")
        sys.stdout.flush()
        _serve(settings, listener)


def _serve(settings: SimulatorSettings, listener: socket.socket) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    config = uvicorn.Config(
        build_app(settings),
        http=Line,
        ws="none",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=SECONDS_TO_FINISH,
    )
    try:
        uvicorn.Server(config).run(sockets=[listener])
    except KeyboardInterrupt:
        return


def _bound(settings: SimulatorSettings) -> socket.socket:
    listener = socket.create_server((settings.host, settings.port), backlog=2048)
    listener.settimeout(0)
    return listener


def _settings(argv: Sequence[str] | None) -> SimulatorSettings:
    given = vars(_parser().parse_args(argv))
    values: dict[str, Any] = json.loads(given.pop("settings") or "{}")
    faults = [*(given.pop("fault") or [])]
    is_varied = given.pop("varied")
    values |= {key: value for key, value in given.items() if value is not None}
    if is_varied:
        values = varied(values)
    for fault in faults:
        _add_fault(values, fault)
    return read_settings(values)


def _add_fault(values: dict[str, Any], text: str) -> None:
    """Add `requests.rate_limited=0.1` or `down=true` to the fault plan."""
    path, _, value = text.partition("=")
    *groups, last = path.split(".")
    place = values.setdefault("faults", {})
    for group in groups:
        place = place.setdefault(group, {})
    place[last] = json.loads(value)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "autolynx simulator",
        description=__doc__,
        epilog=_faults_explained(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host")
    parser.add_argument("--port", type=int, help="0 takes a free one")
    parser.add_argument("--public-url", help="where others reach this process")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--speed", type=float, help="divides simulated durations")
    parser.add_argument("--api-key", dest="api_keys", action="append")
    parser.add_argument("--concurrency-limit", type=int)
    parser.add_argument("--over-limit", choices=["refuse", "block", "end"])
    parser.add_argument("--webhook-url", help="server URL of the first assistant")
    parser.add_argument("--webhook-secret", help="its X-Vapi-Secret")
    parser.add_argument(
        "--varied",
        action="store_true",
        help="calls of every outcome: machines, menus, callbacks, opt-outs, faults",
    )
    parser.add_argument(
        "--fault",
        action="append",
        metavar="NAME=JSON",
        help="any field of the fault plan, see below; may be repeated",
    )
    parser.add_argument("--settings", help="any SimulatorSettings as JSON")
    return parser


def _faults_explained() -> str:
    kinds = {
        "requests": RequestFault,
        "reads": RequestFault,
        "webhooks": WebhookFault,
        "calls": CallFault,
    }
    listed = "\n".join(
        f"  {group}.NAME=RATE  NAME is one of {', '.join(names)}"
        for group, names in kinds.items()
    )
    return FAULTS.format(rates=listed, scenes=", ".join(Scene))


FAULTS = """faults by rate, from 0 to 1, drawn by --seed:
{rates}
..._before and ..._after: before or after the provider acted.

faults by script, which goes before the rates:
  script='[{{"fault": "hang_after", "number": "+12025550100", "skip": 1, "times": 2}}]'
  webhook_script='[{{"fault": "lost", "label": "ended"}}]'
  call_script='[{{"fault": "listed_late", "seconds": 30}}]'

lasting refusals, of all calls or of those that have the "number" (the customer's), the
"line" or the "assistant" that is named, and of a "share" of the customers:
  refused='[{{"share": 0.02, "status": 400, "message": "Number is unverified"}}]'
    before the 201; "retry_after": "30" adds the header
  ended='[{{"reason": "call.start.error-get-transport", "message": "Authenticate"}}]'
    after the 201, with "message" as endedMessage
  deleted_lines='["c2d4e6f8-1a3b-4c5d-8e7f-901a2b3c4d5e"]'

incomplete, late and double reports of the calls that fit, as with the refusals above;
shares of several entries do not overlap, and the ledger has the true cost all the same:
  reports='[{{"share": 0.2, "first": "empty"}}, {{"share": 0.2, "cost": "absent"}}]'
    "first": "empty" or "partial" sends one more report before the usual one,
      "gap_seconds": 1.0 earlier, with "first_reason" if the call was answered
    "cost": where the usual report states it: everywhere, field (cost), breakdown
      (costBreakdown), list (costs[]), text (strings), null, absent
    "reason": "call" states the ended reason in message.call only
    "duration": everywhere, minutes (durationMinutes), absent
    "times": false leaves out startedAt and endedAt
    "least_bytes": 500000 repeats the conversation until the report is about that long
    "read": what GET /call/ID shows after the first report: complete, or reported
      (only what the reports have contained so far)

how long and how much, in real seconds:
  late_seconds, list_lag_seconds, get_lag_seconds, stale_seconds,
  retry_after_seconds, storm_requests; down=true resets every connection
  endings='{{"+12025550100": "simulator-never-ends"}}' fixes how a number's calls end
  scenes='{{"+12025550100": "opt_out"}}' fixes what happens when a number picks up:
    {scenes}

The plan can be read and replaced while it runs: GET, PUT /simulator/faults.
"""


if __name__ == "__main__":
    main()
