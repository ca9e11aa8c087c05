"""What a rehearsal is asked for; it travels between processes as JSON."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import orjson

from domain.campaigns.campaign_terms import CALLED_ONCE, CallingTerms
from domain.settings import SettingsValues
from domain.values import DialMode
from storage.log.mapper import from_plain, to_plain

CONTACT_COLUMNS = ("name", "phone", "status", "outcome", "attempts")
"""Columns of the file that lists the contacts of a rehearsal."""


class RehearsalScenario(StrEnum):
    """How the simulated people and the simulated provider behave."""

    NORMAL = "NORMAL"
    FEW_ANSWER = "FEW_ANSWER"
    EVERYBODY_ANSWERS = "EVERYBODY_ANSWERS"
    PROVIDER_OUTAGE = "PROVIDER_OUTAGE"
    PROVIDER_REFUSES = "PROVIDER_REFUSES"


@dataclass(frozen=True, slots=True)
class RehearsedAssistant:
    """An assistant of the campaign; `share` in percent, 0 for the first one.

    `config` is JSON in the provider's format.
    """

    provider_id: str
    name: str
    config: str
    share: int = 0


@dataclass(frozen=True, slots=True)
class FileToRead:
    """A contact file; `mapped` are COLUMN=ROLE texts."""

    path: str
    region: str
    any_kind: bool = False
    mapped: tuple[str, ...] = ()
    sheet: str | None = None


@dataclass(frozen=True, slots=True)
class RehearsalOrder:
    """A campaign to rehearse.

    `url` is the installation's database. The contacts are those of `file`, or of the
    installation's upload `upload_id`. `settings` are the installation's. The rehearsal
    begins at the virtual time `begins_at`. `seed` and `scenario` determine what happens
    in its calls. The results are written to the files `export` (CSV),
    `contacts` (CSV of CONTACT_COLUMNS) and `events` (JSON lines), if given. `payloads`
    adds the content of each event.
    """

    url: str
    name: str
    assistants: tuple[RehearsedAssistant, ...]
    phone_number_id: str
    begins_at: datetime
    settings: SettingsValues
    cap: int | None = None
    mode: DialMode = DialMode.CONTINUOUS
    line_quiet_gating: bool = False
    budget: Decimal | None = None
    terms: CallingTerms = CALLED_ONCE
    file: FileToRead | None = None
    upload_id: UUID | None = None
    seed: int = 1
    scenario: RehearsalScenario = RehearsalScenario.NORMAL
    export: str | None = None
    contacts: str | None = None
    events: str | None = None
    payloads: bool = True


def order_to_json(order: RehearsalOrder) -> bytes:
    """Return the order as one line."""
    return orjson.dumps(to_plain(order)) + b"\n"


def order_from_json(line: bytes) -> RehearsalOrder:
    """Return the order of a line."""
    order: RehearsalOrder = from_plain(RehearsalOrder, orjson.loads(line))
    return order
