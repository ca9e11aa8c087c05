"""Options and output for campaigns that compare assistants."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import typer

from domain.campaigns.arm_statistics import ERROR_RATE
from domain.wording import counted
from interfaces.cli.assistants import assistant_here
from interfaces.cli.output import as_mapping, print_note
from interfaces.cli.workbench import Workbench
from projections.campaign_arms import ArmResult, arm_results
from projections.registers import directory

Arms = Annotated[
    list[str] | None,
    typer.Option(
        "--arm",
        metavar="ASSISTANT=PERCENT",
        help="Another assistant to compare, with its share; may be repeated.",
    ),
]


def compared(bench: Workbench, options: Sequence[str]) -> tuple[tuple[UUID, int], ...]:
    """Return the assistants and shares that the options state.

    Raises BadParameter for an option of another form.
    """
    parsed = [parsed_arm(option) for option in options]
    return tuple((assistant_here(bench, name), share) for name, share in parsed)


def parsed_arm(option: str) -> tuple[str, int]:
    """Return assistant and share of an option; raise BadParameter for another form."""
    name, _, share = option.rpartition("=")
    if not name or not (share.isascii() and share.isdigit()):
        raise typer.BadParameter(
            f"--arm {option}: write ASSISTANT=PERCENT, such as asst_2=50."
        )
    return name, int(share)


def print_smallest(bench: Workbench, campaign_id: UUID) -> None:
    """Print the smallest differences that the campaign's contacts can show."""
    for result in bench.read(arm_results, campaign_id):
        if result.row.arm > 0:
            name = _name(bench, result.row.assistant_id)
            print_note(f"{name}: {_shows(result)}")


def arms_as_json(bench: Workbench, campaign_id: UUID) -> list[dict[str, Any]]:
    """Return the arms for the output as JSON."""
    results = bench.read(arm_results, campaign_id)
    return [
        as_mapping(
            result.row,
            low=result.difference.low if result.difference else None,
            high=result.difference.high if result.difference else None,
            pValue=result.difference.p_value if result.difference else None,
            smallestDifference=result.smallest,
        )
        for result in results
    ]


def arms_as_text(bench: Workbench, campaign_id: UUID) -> str | None:
    """Return one sentence for each arm; None without a comparison."""
    results = bench.read(arm_results, campaign_id)
    named = ((_name(bench, one.row.assistant_id), one) for one in results)
    return " ".join(f"{name}: {_achieved(one)}." for name, one in named) or None


def _name(bench: Workbench, assistant_id: UUID) -> str:
    found = bench.read(directory.assistant, assistant_id)
    return found.name if found else str(assistant_id)


def _achieved(result: ArmResult) -> str:
    row = result.row
    finished = counted(row.finished, "finished contact")
    goals = f"{counted(row.goals, 'goal')} of {finished} ({row.share} %)"
    between = result.difference
    if between is None:
        return goals
    found = "a difference" if between.p_value < ERROR_RATE else "no difference yet"
    return (
        f"{goals}, {100 * between.low:+.1f} to {100 * between.high:+.1f} points"
        f" against the first, {found}"
    )


def _shows(result: ArmResult) -> str:
    if result.smallest is None:
        return "this list is too small to show any difference."
    return (
        "this list can show a rise of the goal rate by"
        f" {100 * result.smallest:.1f} points or more."
    )
