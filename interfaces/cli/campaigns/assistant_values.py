"""Warnings about values that a campaign's assistants say and a contact file lacks."""

from collections.abc import Sequence

from application.contacts.files.assistant_fit import fit_of
from application.contacts.files.uploads import Upload
from interfaces.cli.assistants import configuration_of
from interfaces.cli.campaigns.campaign_arms import parsed_arm
from interfaces.cli.workbench import Workbench


def assistant_warnings(
    bench: Workbench, upload: Upload, assistant: str | None, arms: Sequence[str]
) -> list[str]:
    """Return a sentence for each gap, once; imports no assistant.

    Raises:
        NotFound: the provider does not have an assistant.
        BadParameter: an option of `arms` has another form.
    """
    named = [assistant] if assistant else []
    named += [parsed_arm(option)[0] for option in arms]
    found: dict[str, None] = {}
    for name in named:
        config = configuration_of(bench, name)
        used = bench.assistants.variables(config)
        texts = bench.assistants.preview(config, "", {})
        found |= dict.fromkeys(fit_of(upload, used, texts).warnings)
    return list(found)
