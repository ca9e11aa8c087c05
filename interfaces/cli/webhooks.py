"""Commands for the endpoints of outgoing webhooks."""

from typing import Annotated
from uuid import UUID

import typer

from application.configuration import Configuration
from domain.errors import NotFound
from domain.webhook_endpoint import MessageType
from interfaces.cli.output import AsJson, as_mapping, print_line, print_note, show_list
from interfaces.cli.workbench import Workbench, actor, workbench
from projections.deliveries import delivery_log
from projections.registers import webhook_endpoints
from projections.registers.webhook_endpoints import EndpointRow

EndpointId = Annotated[UUID, typer.Argument(metavar="ID", show_default=False)]
Types = Annotated[
    list[MessageType] | None,
    typer.Option("--type", help="A type of messages; repeat it for more. All if none."),
]
Url = Annotated[str | None, typer.Option(help="The new URL.")]
SHOWN = "The secret is not shown again."


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    webhooks = typer.Typer(
        help="Endpoints to which results are sent.", rich_markup_mode=None
    )
    webhooks.command("list")(list_endpoints)
    webhooks.command("add")(add_endpoint)
    webhooks.command("change")(change_endpoint)
    webhooks.command("enable")(enable_endpoint)
    webhooks.command("disable")(disable_endpoint)
    webhooks.command("rotate")(rotate_secret)
    webhooks.command("remove")(remove_endpoint)
    webhooks.command("deliveries")(list_deliveries)
    webhooks.command("resend")(resend)
    app.add_typer(webhooks, name="webhooks")


def list_endpoints(*, as_json: AsJson = False) -> None:
    """List the endpoints."""
    with workbench(Configuration()) as bench:
        rows = bench.read(webhook_endpoints.all_endpoints)
    columns = ("id", "url", "types", "enabled", "trouble", "createdAt")
    show_list([_mapping(row) for row in rows], columns, as_json=as_json)


def _mapping(row: EndpointRow) -> dict[str, object]:
    return as_mapping(row, types=row.type_names, trouble=row.trouble)


def add_endpoint(
    url: Annotated[str, typer.Argument(metavar="URL", show_default=False)],
    types: Types = None,
) -> None:
    """Add an endpoint; print its id and its secret."""
    with workbench(Configuration()) as bench:
        endpoint, secret, _ = bench.webhook_endpoints.add(url, types or [], by=actor())
    print_line(str(endpoint.id))
    print_line(secret)
    print_note(SHOWN)


def change_endpoint(id_: EndpointId, url: Url = None, types: Types = None) -> None:
    """Change the URL or the types of an endpoint."""
    with workbench(Configuration()) as bench:
        bench.webhook_endpoints.update(id_, url=url, types=types, by=actor())
    print_line(f"{id_} is changed.")


def enable_endpoint(id_: EndpointId) -> None:
    """Send messages to an endpoint again, beginning with those that wait."""
    with workbench(Configuration()) as bench:
        bench.webhook_endpoints.update(id_, enabled=True, by=actor())
    print_line(f"{id_} is enabled.")


def disable_endpoint(id_: EndpointId) -> None:
    """Send nothing to an endpoint until it is enabled."""
    with workbench(Configuration()) as bench:
        bench.webhook_endpoints.update(id_, enabled=False, by=actor())
    print_line(f"{id_} is disabled.")


def rotate_secret(id_: EndpointId) -> None:
    """Create a new secret and print it; the old one stays valid for a day."""
    with workbench(Configuration()) as bench:
        _, secret, _ = bench.webhook_endpoints.rotate_secret(id_, by=actor())
    print_line(secret)
    print_note(SHOWN)


def remove_endpoint(id_: EndpointId) -> None:
    """Remove an endpoint; messages that wait are not sent any more."""
    with workbench(Configuration()) as bench:
        bench.webhook_endpoints.remove(id_, by=actor())
    print_line(f"{id_} is removed.")


def list_deliveries(
    id_: EndpointId,
    first: Annotated[
        int, typer.Option(min=1, max=1000, help="How many, the newest first.")
    ] = 50,
    *,
    failed: Annotated[
        bool, typer.Option("--failed", help="Only those whose last attempt failed.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List what was sent to an endpoint in the last 30 days."""
    with workbench(Configuration()) as bench:
        _must_exist(bench, id_)
        rows = bench.read(
            delivery_log.of_endpoint, id_, first=first, failed_only=failed
        )
    columns = ("id", "type", "createdAt", "attempts", "deliveredAt", "nextAttemptAt")
    shown = (*columns, "lastAnswer")
    show_list([as_mapping(row) for row in rows], shown, as_json=as_json)


def _must_exist(bench: Workbench, id_: UUID) -> None:
    if bench.read(webhook_endpoints.get, id_) is None:
        raise NotFound("webhook endpoint", f"{id_}: autolynx webhooks list")


def resend(
    delivery_id: Annotated[
        UUID, typer.Argument(metavar="DELIVERY_ID", show_default=False)
    ],
) -> None:
    """Send a recorded delivery again (its ID: `autolynx webhooks deliveries`)."""
    with workbench(Configuration()) as bench:
        bench.webhook_endpoints.resend(delivery_id, by=actor())
    print_line(f"{delivery_id} is sent again.")
