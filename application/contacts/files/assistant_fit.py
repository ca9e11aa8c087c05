"""Whether a contact file has the values that an assistant says in its calls."""

from collections.abc import Sequence
from dataclasses import dataclass

from application.contacts.files.missing_values import (
    MissingValues,
    file_variables,
    lacking_message,
    missing_message,
)
from application.contacts.files.uploads import Upload
from application.ports import CallTexts

GREETING, PROMPT = "first message", "prompt"


@dataclass(frozen=True, slots=True)
class AssistantFit:
    """Variables that an assistant uses and that a file, or some of its rows, lack.

    `lacking` are variables without a column. `missing` are those with a column that is
    empty in accepted rows, with the assistant's text that shows them.
    """

    lacking: tuple[str, ...]
    missing: tuple[tuple[MissingValues, str], ...]

    @property
    def warnings(self) -> list[str]:
        """Return a sentence about each finding."""
        lacking = [lacking_message(self.lacking)] if self.lacking else []
        return lacking + [missing_message(one, text) for one, text in self.missing]


def fit_of(upload: Upload, used: Sequence[str], texts: CallTexts) -> AssistantFit:
    """Compare an upload with an assistant.

    `used` are all variables of the assistant, `texts` what it would say to any row.
    """
    known = file_variables(upload.columns, upload.roles)
    missing = {one.variable: one for one in upload.missing}
    shown_in = dict.fromkeys(texts.prompt_needs, PROMPT)
    shown_in |= dict.fromkeys(texts.greeting_needs, GREETING)
    return AssistantFit(
        lacking=tuple(name for name in used if name not in known),
        missing=tuple(
            (missing[name], shown_in[name])
            for name in used
            if name in missing and name in shown_in
        ),
    )
