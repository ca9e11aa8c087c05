"""What people do during a day: campaigns, lists, and large operations in the middle."""

import csv
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any, Self
from zoneinfo import ZoneInfo

import httpx2

from bench.day.processes import Fleet
from bench.day.scale import CAMPAIGNS, Scale
from bench.support.installation import CREATE, Server

LISTED = 100_000
AUTOLYNX = str(Path(sys.executable).with_name("autolynx"))
REGIONS = (
    ("Asia/Kolkata", "+9198", 10_000_000),
    ("America/New_York", "+1212", 2_000_000),
    ("Pacific/Honolulu", "+1808", 2_000_000),
)
"""Time zones of which one has office hours at any time, a prefix, the first number."""

OFFICE_HOURS = range(9, 19)
"""Local hours in which a day may begin: the calling rules close later."""

RETRIES = {
    "attempts": 3,
    "perDay": 3,
    "minGapMinutes": 1,
    "expiresAfterDays": 1,
    "rules": [
        {
            "outcomes": ["NO_ANSWER", "BUSY", "VOICEMAIL", "SILENT"],
            "attempts": 3,
            "gapsMinutes": [1],
        }
    ],
}
IMPORT_ASSISTANT = """mutation($id: String!) {
  importAssistant(providerAssistantId: $id) {
    ... on Assistant { id } ... on UserError { message } } }"""
ADD_ENDPOINT = """mutation($url: String!) { addWebhookEndpoint(url: $url) {
  ... on NewWebhookEndpoint { secret } ... on UserError { message } } }"""
START = """mutation($id: ID!) { startCampaign(id: $id) {
  ... on Campaign { id } ... on UserError { message } } }"""


class Work:
    """Operates the installation over HTTP; counts the status of each response."""

    def __init__(self, server: Server, fleet: Fleet, scale: Scale) -> None:
        self._folder, self._fleet, self._scale = server.folder, fleet, scale
        self._zone, self._prefix, self._first = region_at(datetime.now(UTC))
        self._used = 0
        self._assistant = ""
        self.statuses: Counter[int] = Counter()
        self._client = httpx2.Client(
            base_url=fleet.apis[1],
            headers=fleet.installed.headers,
            timeout=600,
            event_hooks={"response": [self._count]},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def prepare(self) -> list[str]:
        """Add a list, an endpoint and all campaigns; return the campaigns' ids."""
        made = self._ask(IMPORT_ASSISTANT, id=self._fleet.assistant)
        self._assistant = made["importAssistant"]["id"]
        answer = self._ask(ADD_ENDPOINT, url=self._fleet.receiver)
        assert "secret" in answer["addWebhookEndpoint"], answer
        self._upload_list()
        return [self._campaign(number) for number in range(CAMPAIGNS)]

    def start(self, campaigns: Sequence[str]) -> None:
        """Start the campaigns."""
        for campaign in campaigns:
            answer = self._ask(START, id=campaign)["startCampaign"]
            assert "id" in answer, answer

    def large_operations(self) -> dict[str, float]:
        """Import, export and rebuild, one after the other; return their seconds."""
        seconds, start = dict[str, float](), monotonic()
        rows = self._scale.rows
        imported = self._create("Large", rows, self._fleet.lines[0])
        seconds["import"], start = monotonic() - start, monotonic()
        self._export(imported)
        seconds["export"], start = monotonic() - start, monotonic()
        self._rebuild()
        seconds["rebuild"] = monotonic() - start
        return seconds

    def _campaign(self, number: int) -> str:
        lines = self._fleet.lines
        line = lines[number % len(lines)]
        return self._create(f"Campaign {number}", self._scale.contacts, line)

    def _create(self, name: str, contacts: int, line: str) -> str:
        file = self._write_contacts(self._folder / f"{name}.csv", contacts)
        with file.open("rb") as opened:
            answer = self._client.post(
                "/uploads",
                params={"filename": file.name},
                content=iter(lambda: opened.read(1 << 16), b""),
                headers={"Content-Type": "text/csv"},
            )
        answer.raise_for_status()
        asked = {
            "name": name,
            "uploadId": answer.json()["id"],
            "assistantId": self._assistant,
            "phoneNumberId": line,
            "cap": self._scale.cap,
            "retryPolicy": RETRIES,
            "purpose": "INFORMATIONAL",
        }
        made = self._ask(CREATE, input=asked)["createCampaign"]
        assert "campaign" in made, made
        return str(made["campaign"]["id"])

    def _write_contacts(self, path: Path, contacts: int) -> Path:
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("name", "business_name", "phone", "plan", "city"))
            for number in range(self._used, self._used + contacts):
                phone = f"{self._prefix}{self._first + number}"
                company, city = f"Company {number % 5000}, Inc.", f"City {number % 900}"
                writer.writerow((f"Person {number}", company, phone, "gold", city))
        self._used += contacts
        return path

    def _upload_list(self) -> None:
        """Upload a suppression list of the region, with none of the contacts."""
        last = self._first + 7_000_000
        answer = self._client.post(
            "/suppression-lists",
            params={
                "name": "Registry",
                "asOf": datetime.now(UTC).date().isoformat(),
                "maxAgeDays": "31",
            },
            content=(
                f"{self._prefix}{number}\n".encode()
                for number in range(last, last + LISTED)
            ),
        )
        answer.raise_for_status()

    def _export(self, campaign: str) -> None:
        lines = 0
        path = f"/campaigns/{campaign}/export.csv"
        with self._client.stream("GET", path, params={"columns": "all"}) as answer:
            answer.raise_for_status()
            for chunk in answer.iter_bytes():
                lines += chunk.count(b"\n")
        assert lines == self._scale.rows + 1, lines

    def _rebuild(self) -> None:
        environment = self._fleet.installed.environment
        subprocess.run(
            [AUTOLYNX, "projections", "rebuild"],
            cwd=self._folder,
            env=os.environ | environment,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _ask(self, query: str, **variables: Any) -> dict[str, Any]:
        asked = {"query": query, "variables": variables}
        body = self._client.post("/graphql", json=asked).json()
        assert not body.get("errors"), body
        data: dict[str, Any] = body["data"]
        return data

    def _count(self, response: httpx2.Response) -> None:
        self.statuses[response.status_code] += 1


def region_at(now: datetime) -> tuple[str, str, int]:
    """Return time zone, prefix and first number of a region with office hours."""
    for region in REGIONS:
        if now.astimezone(ZoneInfo(region[0])).hour in OFFICE_HOURS:
            return region
    raise AssertionError("no region has office hours")
