"""Commands for members, sign-in links and API tokens."""

from typing import Annotated
from uuid import UUID

import typer

from application.configuration import Configuration
from application.members.access import DEFAULT_TOKEN_DAYS, LONGEST_TOKEN_DAYS
from domain.errors import NotFound
from domain.values import Role
from interfaces.auth.links import sign_in_address
from interfaces.cli.output import AsJson, as_mapping, print_line, show_list
from interfaces.cli.workbench import Workbench, actor, workbench
from projections.registers import directory

Email = Annotated[str, typer.Argument(metavar="EMAIL", show_default=False)]


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    members = typer.Typer(help="Members and their roles.", rich_markup_mode=None)
    members.command("add")(add_member)
    members.command("list")(list_members)
    members.command("remove")(remove_member)
    tokens = typer.Typer(help="API tokens of members.", rich_markup_mode=None)
    tokens.command("create")(create_token)
    tokens.command("list")(list_tokens)
    tokens.command("revoke")(revoke_token)
    app.command("signin")(sign_in)
    app.add_typer(members, name="members")
    app.add_typer(tokens, name="tokens")


def sign_in(email: Email) -> None:
    """Print a link by which a member can sign in once, within 15 minutes."""
    with workbench(Configuration()) as bench:
        _must_be_member(bench, email)
        link = bench.access.create_link(email, by=actor())
        print_line(sign_in_address(bench.configuration.own_url, link.secret))


def _must_be_member(bench: Workbench, email: str) -> None:
    if bench.members.member(email) is None:
        raise NotFound("member", f"{email}: autolynx members add {email} --role R")


def add_member(
    email: Email,
    role: Annotated[
        Role, typer.Option(case_sensitive=False, help="What the member may do.")
    ],
) -> None:
    """Add a member, or change the role of an existing one."""
    with workbench(Configuration()) as bench:
        bench.members.add(email, role, by=actor())
    print_line(f"{email} is {role}.")


def list_members(*, as_json: AsJson = False) -> None:
    """List the members."""
    with workbench(Configuration()) as bench:
        rows = bench.read(directory.members)
    columns = ("email", "role", "addedAt", "addedBy")
    show_list([as_mapping(row) for row in rows], columns, as_json=as_json)


def remove_member(email: Email) -> None:
    """Remove a member and end all access at once, API tokens included."""
    with workbench(Configuration()) as bench:
        bench.members.remove(email, by=actor())
    print_line(f"{email} is removed.")


def create_token(
    email: Email,
    days: Annotated[
        int, typer.Option(min=1, max=LONGEST_TOKEN_DAYS, help="Days until it expires.")
    ] = DEFAULT_TOKEN_DAYS,
) -> None:
    """Create an API token for a member and print it; it cannot be shown again."""
    with workbench(Configuration()) as bench:
        _must_be_member(bench, email)
        created = bench.access.create_token(email, days=days, by=actor())
    print_line(created.secret)


def list_tokens(*, as_json: AsJson = False) -> None:
    """List the tokens without their secrets."""
    with workbench(Configuration()) as bench:
        rows = [as_mapping(row) for row in bench.tokens.list()]
    columns = ("id", "email", "createdAt", "expiresAt", "lastUsedAt", "revokedAt")
    show_list(rows, columns, as_json=as_json)


def revoke_token(
    token_id: Annotated[UUID, typer.Argument(metavar="ID", show_default=False)],
) -> None:
    """Revoke a token (its ID: `autolynx tokens list`)."""
    with workbench(Configuration()) as bench:
        bench.access.revoke_token(token_id, by=actor())
    print_line(f"{token_id} is revoked.")
