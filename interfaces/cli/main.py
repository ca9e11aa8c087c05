"""The `autolynx` command."""

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Annotated

import typer
from psycopg import OperationalError
from psycopg_pool import PoolTimeout
from pydantic import ValidationError

from application.errors import (
    BrokenRules,
    Failure,
    StoreUnavailable,
    UnreadableList,
)
from application.ports import ProviderRefused, ProviderUnavailable
from application.process.gc_tuning import disable_while_loading, enable_after_loading
from domain.errors import Refused
from interfaces.cli.output import print_line, print_note
from interfaces.database_errors import is_read_only

REFUSED, WRONG_USAGE, INTERRUPTED = 1, 2, 130

REFUSALS = (Refused, Failure, OSError, BrokenRules, UnreadableList)
NO_DATABASE = (StoreUnavailable, OperationalError, PoolTimeout)

MODULES = {
    "demo": ("demo",),
    "roles": ("up", "api", "projector", "scheduler", "simulator", "migrate"),
    "campaigns.campaigns": ("campaigns", "rehearse"),
    "assistants": ("assistants",),
    "directory": ("lines", "settings", "alerts", "allow-requests"),
    "doctor": ("doctor",),
    "access": ("signin", "members", "tokens"),
    "read_model": ("projections",),
    "audit": ("audit",),
    "erase": ("erase",),
    "calling_rules.rules": ("rules",),
    "calling_rules.suppressions": ("suppressions",),
    "webhooks": ("webhooks",),
}
"""The modules and their commands, in the order of the help."""


def build(word: str | None = None) -> typer.Typer:
    """Build the command line: all commands, or only the module with the command `word`.

    Loading all modules would double the time that most commands take.
    """
    app = typer.Typer(
        name="autolynx",
        help="Call everyone on a list through Vapi: never above the cap, never twice.",
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_commands)
    for name in _modules_with(word):
        import_module(f"interfaces.cli.{name}").add_to(app)
    return app


def _modules_with(word: str | None) -> Sequence[str]:
    found = [name for name, commands in MODULES.items() if word in commands]
    return found or [*MODULES]


def _show_version(*, wanted: bool) -> None:
    if wanted:
        print_line(f"autolynx {version('autolynx')}")
        raise typer.Exit


def _commands(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=lambda wanted: _show_version(wanted=wanted),
            is_eager=True,
            help="Print the version.",
        ),
    ] = False,
) -> None:
    """Call everyone on a list through Vapi: never above the cap, never twice.

    Try it with `autolynx demo`; run it with `autolynx up`. It is configured by the
    environment or a file `.env`: AUTOLYNX_DATABASE_URL, AUTOLYNX_VAPI_API_KEY etc.
    """


def main() -> None:
    """Run the command in `sys.argv` and exit with its code."""
    arguments = sys.argv[1:] or ["--help"]
    disable_while_loading()
    app = build(arguments[0])
    enable_after_loading()
    sys.exit(
        exit_code_of(
            lambda: app(arguments, prog_name="autolynx", standalone_mode=False)
        )
    )


def exit_code_of(command: Callable[[], int | None]) -> int:
    """Run a command and return its exit code; print an expected error in one line."""
    try:
        return command() or 0
    except typer.TyperException as error:
        print_note(f"{error.format_message()} See --help.")
        return error.exit_code
    except ValidationError as error:
        print_note(_misconfigured(error))
        return WRONG_USAGE
    except NO_DATABASE as error:
        print_note(_database_fault(error))
    except (ProviderUnavailable, ProviderRefused) as error:
        print_note(f"the provider: {error}. Check AUTOLYNX_VAPI_BASE_URL and _API_KEY.")
    except BrokenPipeError:
        # The reader closed the pipe. Redirect stdout so that the exit flushes nothing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except REFUSALS as error:
        print_note(str(error))
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    return REFUSED


def _database_fault(error: Exception) -> str:
    if is_read_only(error):
        return "the database is read-only, so nothing was stored: run autolynx doctor."
    return f"the database cannot be reached ({error}): check AUTOLYNX_DATABASE_URL."


def _misconfigured(error: ValidationError) -> str:
    faults = (
        f"AUTOLYNX_{'_'.join(map(str, one['loc'])).upper()}: {one['msg']}"
        for one in error.errors()
    )
    return f"{'; '.join(faults)}. Set it in the environment or in .env."
