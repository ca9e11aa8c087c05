"""The demo's story: upload, create, start, follow, export, add up."""

import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Annotated, Any

import typer
from rich.console import Console

from application.errors import Failure
from interfaces.cli.demo.cluster import (
    HOST,
    Play,
    Stage,
    Stopped,
    remove,
    stage,
)
from interfaces.cli.demo.display import display, words
from interfaces.cli.demo.reckoning import PARTS, Evidence, problems, read_export
from interfaces.cli.demo.sample import MOST, write_sample
from interfaces.cli.output import remark, say
from interfaces.cli.roles import PORT_SECONDS, free_port, is_free, wait_for_port
from interfaces.cli.supervisor import LOOK_SECONDS, told_to_stop

USUAL_PORT = 8000
REPORT_SECONDS = 60.0
OVER = {"COMPLETED", "CANCELED", "FAILED"}
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
FOLLOW = f"""
subscription ($id: ID!) {{ campaignProgress(campaignId: $id) {{ {PROGRESS} }} }}
"""
CONTACTS = """
subscription ($id: ID!) {
  contactUpdates(campaignId: $id) { name phone status call { endedReason } }
}
"""


class DoesNotAddUp(Failure):
    """Counters, export and the provider's ledger tell different stories."""


def add_to(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    *,
    contacts: Annotated[
        int, typer.Option(min=1, max=MOST, help="How many people to call.")
    ] = 30,
    cap: Annotated[int, typer.Option(min=1, max=1000, help="Calls at once.")] = 5,
    port: Annotated[
        int | None,
        typer.Option(
            min=1, max=65_535, help="Of the API. [default: 8000, or a free one]"
        ),
    ] = None,
    speed: Annotated[
        float, typer.Option(min=0.1, max=1000, help="How much faster than life.")
    ] = 20.0,
    once: Annotated[
        bool, typer.Option("--once", help="End when the campaign has.")
    ] = False,
) -> None:
    """Show a real campaign, from a file to its results.

    Everything runs here, in a temporary folder; only the provider is a stand-in, a
    process of its own. Nobody is called.
    """
    play = Play(contacts, cap, _port(port), speed)
    folder = Path(tempfile.mkdtemp(prefix="autolynx-demo-"))
    try:
        export = _run(play, folder, stays=not once)
    except Stopped:
        remove(folder)
        raise KeyboardInterrupt from None
    except BaseException:
        remark(f"the demo failed; its files and logs are in {folder}")
        raise
    remove(folder)
    if once:
        say(str(export))


def _run(play: Play, folder: Path, *, stays: bool) -> Path:
    with told_to_stop() as told, stage(play, folder, told, remark) as on:
        export = _show(on, play, folder)
        if stays:
            _stay(on, export)
    return export


def _port(asked: int | None) -> int:
    if asked is not None:
        wait_for_port(HOST, asked, PORT_SECONDS)
        return asked
    return USUAL_PORT if is_free(HOST, USUAL_PORT) else free_port(HOST)


def _show(on: Stage, play: Play, folder: Path) -> Path:
    """Run the campaign to its end; return where its results are kept."""
    on.wait_until(on.simulator_answers, "the provider's stand-in")
    on.wait_until(on.client.ready, "the API")
    say(f"AutoLynx listens on {on.url}")
    say(f"Sign in to its dashboard, once: {on.sign_in_link()}")
    file = folder / "contacts.csv"
    phones = write_sample(file, play.contacts)
    campaign = _create(on, play, file)
    on.client.ask(START, id=campaign["id"])
    progress = _follow(on, play, campaign["id"])
    export = Path(tempfile.mkdtemp(prefix="autolynx-results-")) / "campaign.csv"
    on.client.download(campaign["exportUrl"], export)
    evidence = Evidence(
        campaign_id=campaign["id"],
        cap=play.cap,
        phones=phones,
        progress=progress,
        rows=read_export(export),
        ledger=on.ledger(play.contacts),
    )
    _tell(evidence)
    return export


def _create(on: Stage, play: Play, file: Path) -> Mapping[str, Any]:
    upload = on.client.upload(file)
    _tell_report(file, upload["report"])
    assistant = on.client.ask(IMPORT, id=ASSISTANT_ID)
    line = on.client.ask(LINES)[0]
    say(f"{assistant['name']} calls from {line['number']}.")
    asked = {
        "name": f"Demo: {play.contacts} contacts",
        "uploadId": upload["id"],
        "assistantId": assistant["id"],
        "phoneNumberId": line["id"],
        "cap": play.cap,
    }
    created: Mapping[str, Any] = on.client.ask(CREATE, input=asked)["campaign"]
    return created


def _tell_report(file: Path, report: Mapping[str, Any]) -> None:
    say(
        f"Uploaded {file.name}: {report['accepted']} rows accepted,"
        f" {report['skippedCount']} skipped:"
    )
    for row in report["skipped"]:
        say(f"  row {row['row']}: {row['message']}")


def _follow(on: Stage, play: Play, campaign_id: str) -> Mapping[str, Any]:
    """Show the campaign until it is over and all its reports have come."""
    progress: Mapping[str, Any] = {}
    waits_until: float | None = None
    with display(Console(), play.cap) as shown:
        for news in on.client.follow(FOLLOW, CONTACTS, id=campaign_id):
            on.tend()
            for contact in (news or {}).get("contactUpdates", ()):
                shown.contact(contact)
            if news and "campaignProgress" in news:
                progress = news["campaignProgress"]
                shown.progress(progress)
            if progress and progress["state"] in OVER:
                waits_until = waits_until or monotonic() + REPORT_SECONDS
                if not progress["awaitingReports"] or monotonic() > waits_until:
                    break
    return progress


def _tell(evidence: Evidence) -> None:
    progress, ledger = evidence.progress, evidence.ledger
    counted = " + ".join(f"{progress[part]} {words(part)}" for part in PARTS)
    say(f"{progress['state']}: {progress['contacts']} contacts = {counted}")
    say(f"Spent ${progress['spend']}.")
    reasons = Counter(row["ended_reason"] or row["status"] for row in evidence.rows)
    for reason, times in reasons.most_common():
        say(f"  {times:>5}  {reason}")
    say(
        f"The provider's ledger: {len(ledger['calls'])} calls to"
        f" {len({call['number'] for call in ledger['calls']})} numbers, no phone rang"
        f" more than {evidence.most_rung()} time(s), at most"
        f" {evidence.most_at_once} of {evidence.cap} calls at once."
    )
    wrong = problems(evidence)
    if wrong:
        raise DoesNotAddUp(f"it does not add up: {'; '.join(wrong)}.")


def _stay(on: Stage, export: Path) -> None:
    say(f"The results: {export}")
    say(f"AutoLynx goes on; sign in once more: {on.sign_in_link()}")
    say(f"Token (of an admin): {on.token}")
    say("Stop it with Ctrl-C.")
    while not on.told.wait(LOOK_SECONDS):
        on.supervisor.tend()
