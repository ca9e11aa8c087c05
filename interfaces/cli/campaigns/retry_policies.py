"""Options for the retry policy of a campaign: a preset, or a file."""

from pathlib import Path

import typer
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from domain.campaigns.retry_policy import PRESETS, RetryPolicy, RetryRule
from domain.outcomes import CallOutcome

NAMES = ", ".join(PRESETS)


class _Document(BaseModel):
    """A JSON object with the names of the API; other names are refused."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")


class _Rule(_Document):
    outcomes: tuple[CallOutcome, ...]
    attempts: int
    gaps_minutes: tuple[int, ...]
    other_time_of_day: bool = False


class _Policy(_Document):
    attempts: int
    per_day: int
    min_gap_minutes: int
    expires_after_days: int
    rules: tuple[_Rule, ...]


def read_policy(preset: str | None, file: Path | None) -> RetryPolicy | None:
    """Return the policy that --retry or --retry-policy states; None without both.

    The file contains JSON as `campaigns show --json` prints it. Raises BadParameter.
    """
    if preset is not None and file is not None:
        raise typer.BadParameter("Give --retry or --retry-policy, not both.")
    if file is not None:
        return _policy_in(file)
    if preset is not None and preset not in PRESETS:
        raise typer.BadParameter(f"--retry {preset}: choose {NAMES}.")
    return None if preset is None else PRESETS[preset]


def _policy_in(file: Path) -> RetryPolicy:
    try:
        read = _Policy.model_validate_json(file.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        fault = f"{place}: {first['msg']}" if place else first["msg"]
        raise typer.BadParameter(
            f"--retry-policy {file}: {fault}. `autolynx campaigns show ID --json`"
            " prints an example as retryPolicy."
        ) from error
    rules = tuple(RetryRule(**dict(rule)) for rule in read.rules)
    return RetryPolicy(**{**dict(read), "rules": rules})
