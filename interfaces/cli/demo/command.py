"""The steps of the demo: upload, create, start, follow, export, check."""

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Annotated, Any

import typer
from rich.console import Console

from application.errors import Failure
from domain.states import FINISHED
from domain.wording import counted
from interfaces.cli.demo.cluster import (
    HOST,
    Cluster,
    Parameters,
    Stopped,
    remove,
    run_cluster,
)
from interfaces.cli.demo.display import display, readable
from interfaces.cli.demo.reckoning import PARTS, Evidence, problems, read_export
from interfaces.cli.demo.sample import MOST, write_sample
from interfaces.cli.output import print_line, print_note
from interfaces.cli.roles import PORT_SECONDS, free_port, is_free, wait_for_port
from interfaces.cli.supervisor import POLL_SECONDS, stop_signals

USUAL_PORT = 8000
REPORT_SECONDS = 60.0
SUPPRESSED = 2
WAIVER = "the demo calls nobody, and runs at any time of day"
ASSISTANT_ID = "8a1e2c34-7b65-4d2f-9c01-5e6f7a8b9c0d"

PROGRESS = """
  campaignId state contacts pending active queued ringing inProgress ended failed
  canceled timedOut awaitingReports spend
"""
ERROR = "... on UserError { message }"
IMPORT = f"""
mutation ($id: String!) {{
  importAssistant(providerAssistantId: $id) {{
    __typename ... on Assistant {{ id name }} {ERROR}
  }}
}}
"""
LINES = "{ phoneNumbers { id number name } }"
CREATE = f"""
mutation ($input: CreateCampaignInput!) {{
  createCampaign(input: $input) {{
    __typename
    ... on ImportedCampaign {{ campaign {{ id name exportUrl }} }} {ERROR}
  }}
}}
"""
START = f"""
mutation ($id: ID!) {{
  startCampaign(id: $id) {{ __typename ... on Campaign {{ state }} {ERROR} }}
}}
"""
SUPPRESS = f"""
mutation ($phone: String!) {{
  suppressNumber(phone: $phone, reason: "asked not to be called") {{
    __typename ... on Suppression {{ id }} {ERROR}
  }}
}}
"""
FOLLOW = f"""
subscription ($id: ID!) {{ campaignProgress(campaignId: $id) {{ {PROGRESS} }} }}
"""
CONTACTS = """
subscription ($id: ID!) {
  contactUpdates(campaignId: $id) { name phone status call { endedReason } }
}
"""


class DoesNotAddUp(Failure):
    """Counters, export and the provider's ledger contradict each other."""


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(demo)


def demo(
    *,
    contacts: Annotated[
        int, typer.Option(min=1, max=MOST, help="Number of contacts.")
    ] = 30,
    cap: Annotated[
        int, typer.Option(min=1, max=1000, help="Most concurrent calls.")
    ] = 5,
    port: Annotated[
        int | None,
        typer.Option(
            min=1, max=65_535, help="Port of the API. [default: 8000, or a free one]"
        ),
    ] = None,
    speed: Annotated[
        float,
        typer.Option(
            min=0.1, max=1000, help="Speed of simulated calls, relative to real time."
        ),
    ] = 20.0,
    once: Annotated[
        bool, typer.Option("--once", help="Exit when the campaign is finished.")
    ] = False,
) -> None:
    """Run a campaign from a file to its results.

    Everything runs on this machine, in a temporary folder. The provider is simulated by
    another process, so nobody is called.
    """
    parameters = Parameters(contacts, cap, _port(port), speed)
    folder = Path(tempfile.mkdtemp(prefix="autolynx-demo-"))
    try:
        export = _run(parameters, folder, stays=not once)
    except Stopped:
        remove(folder)
        raise KeyboardInterrupt from None
    except BaseException:
        print_note(f"the demo failed; its files and logs are in {folder}")
        raise
    remove(folder)
    if once:
        print_line(str(export))


def _run(parameters: Parameters, folder: Path, *, stays: bool) -> Path:
    with (
        stop_signals() as stop,
        run_cluster(parameters, folder, stop, print_note) as on,
    ):
        export = _show(on, parameters, folder)
        if stays:
            _stay(on, export)
    return export


def _port(asked: int | None) -> int:
    if asked is not None:
        wait_for_port(HOST, asked, PORT_SECONDS)
        return asked
    return USUAL_PORT if is_free(HOST, USUAL_PORT) else free_port(HOST)


def _show(on: Cluster, parameters: Parameters, folder: Path) -> Path:
    """Run the campaign to its end; return the path of its results."""
    on.wait_until(on.simulator_answers, "the provider simulator")
    on.wait_until(on.client.ready, "the API")
    print_line(f"AutoLynx listens on {on.url}")
    print_line(f"Sign in to its dashboard, once: {on.sign_in_link()}")
    file = folder / "contacts.csv"
    phones = write_sample(file, parameters.contacts)
    campaign = _create(on, parameters, file)
    suppressed = _suppress(on, phones)
    on.client.ask(START, id=campaign["id"])
    progress = _follow(on, parameters, campaign["id"])
    export = Path(tempfile.mkdtemp(prefix="autolynx-results-")) / "campaign.csv"
    on.client.download(campaign["exportUrl"], export)
    evidence = Evidence(
        campaign_id=campaign["id"],
        cap=parameters.cap,
        phones=phones,
        suppressed=suppressed,
        progress=progress,
        rows=read_export(export),
        ledger=on.ledger(parameters.contacts - len(suppressed)),
    )
    _print_summary(evidence)
    return export


def _create(on: Cluster, parameters: Parameters, file: Path) -> Mapping[str, Any]:
    upload = on.client.upload(file)
    _print_report(file, upload["report"])
    assistant = on.client.ask(IMPORT, id=ASSISTANT_ID)
    line = on.client.ask(LINES)[0]
    print_line(f"{assistant['name']} calls from {line['number']}.")
    asked = {
        "name": f"Demo: {counted(parameters.contacts, 'contact')}",
        "uploadId": upload["id"],
        "assistantId": assistant["id"],
        "phoneNumberId": line["id"],
        "cap": parameters.cap,
        "callingHours": {"rules": "ANY", "reason": WAIVER},
    }
    created: Mapping[str, Any] = on.client.ask(CREATE, input=asked)["campaign"]
    print_line(f"Calling hours are waived for this campaign: {WAIVER}.")
    return created


def _suppress(on: Cluster, phones: Sequence[str]) -> Sequence[str]:
    """Add the last contacts to the register; return their numbers."""
    suppressed = phones[1:][-SUPPRESSED:]
    for phone in suppressed:
        on.client.ask(SUPPRESS, phone=phone)
        print_line(f"{phone} is on the register of suppressed numbers: not called.")
    return suppressed


def _print_report(file: Path, report: Mapping[str, Any]) -> None:
    print_line(
        f"Uploaded {file.name}: {counted(report['accepted'], 'row')} accepted,"
        f" {report['skippedCount']} skipped:"
    )
    for row in report["skipped"]:
        print_line(f"  row {row['row']}: {row['message']}")


def _follow(on: Cluster, parameters: Parameters, campaign_id: str) -> Mapping[str, Any]:
    """Show the campaign until it is finished and all reports have arrived."""
    progress: Mapping[str, Any] = {}
    waits_until: float | None = None
    with display(Console(), parameters.cap) as shown:
        for news in on.client.follow(FOLLOW, CONTACTS, id=campaign_id):
            on.check()
            for contact in (news or {}).get("contactUpdates", ()):
                shown.contact(contact)
            if news and "campaignProgress" in news:
                progress = news["campaignProgress"]
                shown.progress(progress)
            if progress and progress["state"] in FINISHED:
                waits_until = waits_until or monotonic() + REPORT_SECONDS
                if not progress["awaitingReports"] or monotonic() > waits_until:
                    break
    return progress


def _print_summary(evidence: Evidence) -> None:
    progress, ledger = evidence.progress, evidence.ledger
    parts = " + ".join(f"{progress[part]} {readable(part)}" for part in PARTS)
    contacts = counted(progress["contacts"], "contact")
    print_line(f"{progress['state']}: {contacts} = {parts}")
    print_line(f"Spent ${progress['spend']}.")
    reasons = Counter(row["ended_reason"] or row["status"] for row in evidence.rows)
    for reason, times in reasons.most_common():
        print_line(f"  {times:>5}  {reason}")
    numbers = len({call["number"] for call in ledger["calls"]})
    print_line(
        f"The provider's ledger: {counted(len(ledger['calls']), 'call')} to"
        f" {counted(numbers, 'number')}, no phone rang more than"
        f" {counted(evidence.most_rung(), 'time')}, at most"
        f" {evidence.most_at_once} of {counted(evidence.cap, 'call')} at once."
    )
    wrong = problems(evidence)
    if wrong:
        raise DoesNotAddUp(f"the figures contradict each other: {'; '.join(wrong)}.")


def _stay(on: Cluster, export: Path) -> None:
    print_line(f"The results: {export}")
    print_line(f"AutoLynx keeps running; sign in again: {on.sign_in_link()}")
    print_line(f"Token (of an admin): {on.token}")
    print_line("Stop it with Ctrl-C.")
    while not on.stop.wait(POLL_SECONDS):
        on.supervisor.check()
