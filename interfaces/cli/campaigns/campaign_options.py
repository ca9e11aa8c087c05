"""Options of the commands that create campaigns, or select contacts of one."""

from dataclasses import dataclass, fields
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from application.contacts.phone_numbers import Kinds
from domain.outcomes import CallOutcome, Disposition
from domain.values import ContactStatus, DialMode

CampaignId = Annotated[UUID, typer.Argument(metavar="ID", show_default=False)]

# --- The contacts ---------------------------------------------------------------------

ContactFile = Annotated[
    Path,
    typer.Option(
        "--file",
        "--csv",
        exists=True,
        dir_okay=False,
        help="File with the contacts: CSV, .xlsx, .xls or .ods.",
    ),
]
Region = Annotated[
    str | None,
    typer.Option(help="Region of numbers without +; default: of the settings."),
]
NumberKinds = Annotated[
    Kinds, typer.Option(help="any: accept premium-rate and similar numbers too.")
]
Mapped = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="COLUMN=ROLE",
        help="What a column is used for, such as Handy=PHONE; may be repeated.",
    ),
]
Sheet = Annotated[
    str | None,
    typer.Option(help="Sheet of a workbook; default: the first with rows."),
]


@dataclass(frozen=True)
class FileOptions:
    """What the user says about a contact file; `mapped` are COLUMN=ROLE texts."""

    region: Region = None
    kinds: NumberKinds = Kinds.CALLED
    mapped: Mapped = None
    sheet: Sheet = None

    @property
    def any_kind(self) -> bool:
        """Whether numbers of kinds that are usually not called are accepted."""
        return self.kinds is Kinds.ANY


DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only report how the file is understood.")
]

# --- The campaign ---------------------------------------------------------------------

Name = Annotated[str | None, typer.Option(help="Name of the campaign.")]
AssistantName = Annotated[
    str | None, typer.Option(help="Our id or the provider's; imported if new.")
]
PhoneNumber = Annotated[
    str | None,
    typer.Option("--phone-number", help="Number or id of a line (`autolynx lines`)."),
]
Cap = Annotated[
    int | None, typer.Option(help="Most concurrent calls; default: of the settings.")
]
Mode = Annotated[
    DialMode, typer.Option(case_sensitive=False, help="How slots are filled.")
]
LineQuietGating = Annotated[
    bool, typer.Option("--line-quiet-gating", help="Dial only on a quiet line.")
]
Budget = Annotated[str | None, typer.Option(help="Budget in US dollars.")]


@dataclass(frozen=True)
class SettingsOptions:
    """The options for the settings of a new campaign."""

    cap: Cap = None
    mode: Mode = DialMode.CONTINUOUS
    line_quiet_gating: LineQuietGating = False
    budget: Budget = None

    def values(self) -> dict[str, Any]:
        """Return them by name, the budget as an amount."""
        settings = {field.name: getattr(self, field.name) for field in fields(self)}
        return settings | {"budget": read_budget(self.budget)}


Start = Annotated[bool, typer.Option("--start", help="Start it immediately.")]

# --- A redial of another campaign -----------------------------------------------------

SameName = Annotated[str | None, typer.Option(help="Name; default: Redial of X.")]
SameAssistant = Annotated[
    str | None, typer.Option(help="Our id or the provider's; default: the same.")
]
SameLine = Annotated[
    str | None,
    typer.Option("--phone-number", help="Number or id of a line; default: the same."),
]
SameCap = Annotated[
    int | None, typer.Option(help="Most concurrent calls; default: the same.")
]
RequestId = Annotated[
    UUID | None, typer.Option(help="The same id always returns the same campaign.")
]
CountOnly = Annotated[
    bool, typer.Option("--count", help="Only print the number of contacts.")
]

# --- A selection of contacts ----------------------------------------------------------

Outcomes = Annotated[
    list[CallOutcome] | None,
    typer.Option(
        "--outcome",
        case_sensitive=False,
        help="Only contacts with this outcome; may be repeated.",
    ),
]
Dispositions = Annotated[
    list[Disposition] | None,
    typer.Option(
        "--disposition",
        case_sensitive=False,
        help="Only contacts with this disposition; may be repeated.",
    ),
]
Statuses = Annotated[
    list[ContactStatus] | None,
    typer.Option(
        "--status",
        case_sensitive=False,
        help="Only contacts with this status; may be repeated.",
    ),
]

Contacts = Annotated[
    list[UUID] | None,
    typer.Option(
        "--contact",
        metavar="CONTACT",
        help="Only the contact with this id; may be repeated.",
    ),
]


def read_budget(text: str | None) -> Decimal | None:
    """Read an amount in US dollars; None stays None."""
    try:
        return None if text is None else Decimal(text)
    except ArithmeticError as error:
        raise typer.BadParameter(
            f"--budget {text}: write dollars, such as 25.50."
        ) from error
