"""Commands for assistants."""

from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import orjson
import typer

from application.configuration import Configuration
from application.ports import AssistantChanges
from domain.assistant import Assistant, assistant_id_of
from domain.errors import NotFound
from domain.values import uuid_or_none
from interfaces.cli.output import (
    AsJson,
    as_mapping,
    json_of,
    print_line,
    show_list,
    show_one,
)
from interfaces.cli.workbench import Workbench, actor, workbench
from projections.registers import directory

AssistantId = Annotated[
    str,
    typer.Argument(metavar="ID", show_default=False, help="Our id, or the provider's."),
]
FirstMessage = Annotated[str | None, typer.Option(help="What it says first.")]
Prompt = Annotated[str | None, typer.Option(help="Its instructions.")]
Model = Annotated[
    str | None, typer.Option(metavar="PROVIDER/NAME", help="Its language model.")
]
Voice = Annotated[str | None, typer.Option(metavar="PROVIDER/NAME", help="Its voice.")]
VoicemailMessage = Annotated[
    str | None, typer.Option(help="What it says to an answering machine.")
]
LongestCall = Annotated[
    int | None,
    typer.Option(
        "--longest-call", metavar="SECONDS", help="When the provider ends a call."
    ),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE", help="The provider's configuration, as JSON."
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    assistants = typer.Typer(
        help="Assistants that campaigns can use.", rich_markup_mode=None
    )
    assistants.command("list")(list_assistants)
    assistants.command("show")(show_assistant)
    assistants.command("import")(import_assistant)
    assistants.command("create")(create_assistant)
    assistants.command("change")(change_assistant)
    assistants.command("add-tools")(add_tools)
    assistants.command("archive")(archive_assistant)
    app.add_typer(assistants, name="assistants")


def list_assistants(
    *,
    every: Annotated[
        bool, typer.Option("--all", help="Include archived ones.")
    ] = False,
    at_provider: Annotated[
        bool,
        typer.Option("--at-provider", help="The provider's assistants, to import."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the assistants."""
    if at_provider:
        _list_at_provider(as_json=as_json)
        return
    with workbench(Configuration()) as bench:
        rows = bench.read(directory.assistants, include_archived=every)
    columns = ("id", "name", "providerAssistantId", "activeCampaigns", "archived")
    show_list([as_mapping(row) for row in rows], columns, as_json=as_json)


def _list_at_provider(*, as_json: bool) -> None:
    with workbench(Configuration()) as bench:
        rows = bench.read(directory.assistants, include_archived=True)
        listed = bench.assistants.at_provider()
    here = {row.provider_assistant_id: row.id for row in rows}
    shown = [
        {"providerAssistantId": one.id, "name": one.name, "id": here.get(one.id)}
        for one in listed
    ]
    show_list(shown, ("providerAssistantId", "name", "id"), as_json=as_json)


def show_assistant(id_: AssistantId, *, as_json: AsJson = False) -> None:
    """Show an assistant: its fields, and with --json its configuration as well."""
    with workbench(Configuration()) as bench:
        known = bench.app.load(Assistant, _registered(bench, id_))
        fields = as_mapping(bench.assistants.fields(known.config))
    shown: dict[str, Any] = {
        "id": known.id,
        "name": known.name,
        "providerAssistantId": known.provider_assistant_id,
        "archived": known.archived,
        "tools": list(known.tools),
    }
    if as_json:
        print_line(json_of({**shown, "fields": fields, "config": known.config}))
    else:
        show_one({**shown, **fields}, as_json=False)


def import_assistant(
    provider_id: Annotated[str, typer.Argument(metavar="PROVIDER_ID")],
    name: Annotated[
        str | None, typer.Option(help="Name to use instead of the provider's.")
    ] = None,
) -> None:
    """Register an assistant of the provider and print our id of it."""
    with workbench(Configuration()) as bench:
        id_, _ = bench.assistants.import_assistant(provider_id, name=name, by=actor())
    print_line(str(id_))


def create_assistant(
    name: Annotated[str, typer.Argument(metavar="NAME", show_default=False)],
    *,
    config: ConfigFile = None,
    first_message: FirstMessage = None,
    prompt: Prompt = None,
    model: Model = None,
    voice: Voice = None,
    voicemail_message: VoicemailMessage = None,
    longest_call: LongestCall = None,
) -> None:
    """Create an assistant at the provider and print our id of it.

    It begins with the configuration in --config, or with an example; the other options
    are written into it.
    """
    fields = _fields(
        first_message, prompt, model, voice, voicemail_message, longest_call
    )
    document = _document(config)
    with workbench(Configuration()) as bench:
        id_, _ = bench.assistants.create(name, document, fields, by=actor())
    print_line(str(id_))


def change_assistant(
    id_: AssistantId,
    *,
    name: Annotated[str | None, typer.Option(help="Its new name.")] = None,
    config: ConfigFile = None,
    first_message: FirstMessage = None,
    prompt: Prompt = None,
    model: Model = None,
    voice: Voice = None,
    voicemail_message: VoicemailMessage = None,
    longest_call: LongestCall = None,
) -> None:
    """Change an assistant at the provider and here; what is not given stays."""
    fields = _fields(
        first_message, prompt, model, voice, voicemail_message, longest_call
    )
    document = _document(config)
    with workbench(Configuration()) as bench:
        bench.assistants.update(
            _registered(bench, id_),
            name=name,
            config=document,
            fields=fields,
            by=actor(),
        )


def add_tools(id_: AssistantId) -> None:
    """Give an assistant the tools that record opt-outs and plan callbacks."""
    with workbench(Configuration()) as bench:
        bench.assistants.add_tools(_registered(bench, id_), by=actor())


def archive_assistant(id_: AssistantId) -> None:
    """Exclude an assistant from new campaigns; it stays at the provider."""
    with workbench(Configuration()) as bench:
        bench.assistants.archive(_registered(bench, id_), by=actor())


def assistant_here(bench: Workbench, id_: str) -> UUID:
    """Return our id of an assistant, given by either id; import it if it is new."""
    known = _known(bench, id_)
    if known is not None:
        return known
    return bench.assistants.import_assistant(id_, name=None, by=actor())[0]


def configuration_of(bench: Workbench, id_: str) -> dict[str, Any]:
    """Return an assistant's configuration; a new one is read from the provider.

    Raises:
        NotFound: the provider does not have it.
    """
    known = _known(bench, id_)
    if known is not None:
        return bench.app.load(Assistant, known).config
    return bench.assistants.configuration_at_provider(id_)


def _registered(bench: Workbench, id_: str) -> UUID:
    """Return our id of a registered assistant. Raises NotFound."""
    known = _known(bench, id_)
    if known is None:
        raise NotFound("assistant", id_[:100])
    return known


def _known(bench: Workbench, id_: str) -> UUID | None:
    for known in (uuid_or_none(id_), assistant_id_of(id_)):
        if known is not None and bench.app.find(Assistant, known) is not None:
            return known
    return None


def _fields(  # noqa: PLR0917 - one parameter for each option
    first_message: str | None,
    prompt: str | None,
    model: str | None,
    voice: str | None,
    voicemail_message: str | None,
    longest_call: int | None,
) -> AssistantChanges:
    return {
        "first_message": first_message,
        "prompt": prompt,
        "model": model,
        "voice": voice,
        "voicemail_message": voicemail_message,
        "longest_call_seconds": longest_call,
    }


def _document(file: Path | None) -> Any | None:
    """Read a JSON file; None without one."""
    if file is None:
        return None
    try:
        return orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError as error:
        raise typer.BadParameter(f"{file} is not JSON: {error}.") from error
