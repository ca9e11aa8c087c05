"""Dispositions: which one the outputs of a call mean, and which of two remains."""

from collections.abc import Iterable, Mapping
from typing import Any

from domain.campaigns.campaign_terms import OutputRule
from domain.outcomes import Disposition, DispositionSource

PRECEDENCE = (
    Disposition.OPTED_OUT,
    Disposition.CALLBACK_REQUESTED,
    Disposition.GOAL_REACHED,
    Disposition.WRONG_PERSON,
    Disposition.NOT_INTERESTED,
    Disposition.OTHER,
)
"""Of several dispositions of one call from the same source, the first one counts."""

MISSING = object()


def disposition_from(
    outputs: Mapping[str, Any], analysis: Mapping[str, Any], rules: Iterable[OutputRule]
) -> Disposition | None:
    """Return the disposition that a campaign's rules derive from a call's outputs.

    `outputs` are the structured outputs by name. A rule whose output begins with a
    slash is a JSON pointer (RFC 6901) into `analysis`. If several rules match, the
    order of PRECEDENCE decides. None: no rule matches.
    """
    return strongest(rule.means for rule in rules if _matches(rule, outputs, analysis))


def strongest(dispositions: Iterable[Disposition | None]) -> Disposition | None:
    """Return the first of the dispositions in the order of PRECEDENCE; None if none."""
    return min((one for one in dispositions if one), key=_rank, default=None)


def replaces(
    new: Disposition | None,
    source: DispositionSource,
    old: Disposition | None,
    old_source: DispositionSource | None,
) -> bool:
    """Return whether a call gets the disposition `new` instead of `old`.

    A stronger source replaces a weaker one. Of two from tools the order of PRECEDENCE
    decides, so an opt-out remains. Outputs replace earlier outputs, and clear them if
    they mean nothing.
    """
    if (new, source) == (old, old_source) or not source.may_replace(old_source):
        return False
    if source is DispositionSource.TOOL is old_source:
        return _rank(new) < _rank(old)
    return True


def _rank(disposition: Disposition | None) -> int:
    return len(PRECEDENCE) if disposition is None else PRECEDENCE.index(disposition)


def _matches(
    rule: OutputRule, outputs: Mapping[str, Any], analysis: Mapping[str, Any]
) -> bool:
    if rule.output in outputs:
        value = outputs[rule.output]
    elif rule.output.startswith("/"):
        value = _pointed_at(analysis, rule.output)
    else:
        return False
    return value is not MISSING and _is_equal(value, rule.equals)


def _pointed_at(document: Any, pointer: str) -> Any:
    for part in pointer.removeprefix("/").split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        match document:
            case Mapping() if key in document:
                document = document[key]
            case list() if key.isascii() and key.isdigit() and int(key) < len(document):
                document = document[int(key)]
            case _:
                return MISSING
    return document


def _is_equal(one: Any, other: Any) -> bool:
    """Compare JSON values: true is not 1, but 1 is 1.0."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        pairs = zip(one, other, strict=False)
        return len(one) == len(other) and all(_is_equal(*pair) for pair in pairs)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            _is_equal(value, other[key]) for key, value in one.items()
        )
    return bool(one == other)
