"""What the provider's analysis of a call found; source: docs.vapi.ai.

Pages `assistants/structured-outputs` and `assistants/call-analysis`: the structured
outputs are in the artifact, by id, each with its name and result; summary and
evaluation are in `analysis`. Nothing here raises for what the provider sends.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

LONGEST_NAME = 200
LONGEST_SUMMARY = 20_000
LONGEST_EVALUATION = 1_000


@dataclass(frozen=True, slots=True)
class Analysis:
    """`structured_outputs` by name; `document` is the analysis object as received."""

    structured_outputs: dict[str, Any] | None = None
    summary: str | None = None
    success_evaluation: str | None = None
    document: dict[str, Any] = field(default_factory=dict)

    @property
    def found_something(self) -> bool:
        """Whether any part of the analysis has content."""
        return self.structured_outputs is not None or any(self.document.values())


def read_analysis(document: dict[str, Any]) -> Analysis:
    """Read the analysis in a report or in the call's own document."""
    found = _object(document.get("analysis"))
    summary = _text(found.get("summary")) or _text(document.get("summary"))
    evaluation = _text(found.get("successEvaluation"))
    return Analysis(
        structured_outputs=_outputs(document) or None,
        summary=summary[:LONGEST_SUMMARY] if summary else None,
        success_evaluation=evaluation[:LONGEST_EVALUATION] if evaluation else None,
        document=found,
    )


def _outputs(document: dict[str, Any]) -> dict[str, Any]:
    """Return the results by name, or by id if an output has no name."""
    sent = _object(document.get("artifact")).get("structuredOutputs")
    named: dict[str, Any] = {}
    for id_, output in _items(sent):
        if isinstance(output, dict) and "result" in output:
            name = output.get("name")
            key = name if isinstance(name, str) and name else id_
            named[key[:LONGEST_NAME]] = output["result"]
    return named


def _items(sent: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(sent, dict):
        return sent.items()
    outputs = sent if isinstance(sent, list) else []
    return ((str(number), output) for number, output in enumerate(outputs))


def _text(value: Any) -> str | None:
    """Return a text that is not empty; other JSON values are written as JSON."""
    if isinstance(value, str):
        return value.strip() or None
    if value in (None, {}, []):
        return None
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
