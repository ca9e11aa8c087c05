"""A whole AutoLynx with the provider simulator, and a Chromium."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

from playwright.sync_api import Browser, BrowserContext, Page, expect
from pydantic import SecretStr

from application.configuration import Configuration
from domain.values import Role
from interfaces.auth.links import sign_in_address
from interfaces.cli.demo.sample import write_sample
from interfaces.cli.workbench import Workbench, workbench
from provider.simulator.settings import DEFAULT_ASSISTANT_ID, OUTCOMES
from tests.browser.chromium import PATIENCE, running_chromium
from tests.end_to_end.processes import (
    Up,
    beside,
    command,
    environment,
    running_up,
)
from tests.simulator import Simulator, running_simulator

# No start errors: such a call rings nobody and is tried again.
ENDINGS = {k: v for k, v in OUTCOMES.items() if not k.startswith("call.start")}
LONG = 150_000
"""Milliseconds that a campaign may take."""


@dataclass(frozen=True)
class Installation:
    """A running `autolynx up`, and browsers in which its members are signed in."""

    up: Up
    folder: Path
    settings: dict[str, Any]
    bench: Workbench
    browser: Browser
    simulator: Simulator
    assistant_id: UUID
    signed_in: dict[str, Any] = field(default_factory=dict)

    def run(self, *arguments: str) -> str:
        """Run an `autolynx` command that must succeed; return its output."""
        return command(*arguments, cwd=self.folder, **self.settings)

    def link_of(self, email: str, role: str) -> str:
        """Make a link as `autolynx signin` does, for a member of this role."""
        self.bench.members.add(email, Role(role.upper()), by="cli:test")
        link = self.bench.access.create_link(email, by="cli:test")
        return sign_in_address(self.up.url, link.secret)

    def opened(self, role: str) -> BrowserContext:
        """Open a browser of its own in which a member of this role is signed in."""
        if role not in self.signed_in:
            with self.newcomer(f"{role}@autolynx.example", role) as context:
                self.signed_in[role] = context.storage_state()
        return self._context(storage_state=self.signed_in[role])

    def newcomer(self, email: str, role: str) -> BrowserContext:
        """The same for a new member, who signs in by a link."""
        context = self._context()
        page = context.new_page()
        page.goto(self.link_of(email, role))
        expect(page.get_by_role("heading", level=1)).to_have_text("Campaigns")
        page.close()
        return context

    def stranger(self) -> BrowserContext:
        """Open a browser of its own in which nobody is signed in."""
        return self._context()

    def _context(self, **options: Any) -> BrowserContext:
        context = self.browser.new_context(
            base_url=self.up.url, reduced_motion="reduce", **options
        )
        context.set_default_timeout(PATIENCE)
        return context


@contextmanager
def running_desk(
    folder: Path,
    database_url: str,
    *,
    speed: float = 40,
    at_once: int = 10,
    **simulator_settings: Any,
) -> Iterator[Installation]:
    """Run everything; calls are `speed` times as short as real ones.

    `simulator_settings` are further fields of SimulatorSettings.
    """
    simulated = {"speed": speed, "outcomes": ENDINGS, "concurrency_limit": at_once}
    simulated |= simulator_settings
    with ExitStack() as opened:
        simulator = opened.enter_context(running_simulator(**simulated))
        browser = opened.enter_context(running_chromium())
        settings = beside(simulator) | {
            "DATABASE_URL": database_url,
            "RECONCILE_SECONDS": 2,
            "SETTINGS_TICK_SECONDS": 1,
            "SETTINGS_DIALS_PER_SECOND": 50,
            "SETTINGS_GLOBAL_CAP": at_once,
        }
        up = opened.enter_context(running_up(folder, **settings))
        settings["PORT"] = int(up.url.rpartition(":")[2])
        # A first change of a setting stores the first values of its process, so this
        # process needs those of the installation: no calling rules, no frequency caps.
        with patch.dict(os.environ, environment(**settings)):
            configuration = Configuration(
                database_url=database_url,
                vapi_base_url=simulator.url,
                vapi_api_key=SecretStr(simulator.api_key),
            )
            bench = opened.enter_context(workbench(configuration))
        assistant_id, _ = bench.assistants.import_assistant(
            DEFAULT_ASSISTANT_ID, name=None, by="cli:test"
        )
        parts = (bench, browser, simulator, assistant_id)
        yield Installation(up, folder, settings, *parts)


def sample_file(folder: Path, contacts: int) -> Path:
    """Write a file with this many valid rows and five invalid ones."""
    file = folder / "spring-list.csv"
    write_sample(file, contacts)
    return file


def choose_file(page: Page, file: Path) -> None:
    """Choose a contact file; return once the server has answered.

    The page may show a file that was chosen before.
    """
    with page.expect_response("**/uploads?*"):
        page.locator("#file").set_input_files(file)


def create_campaign(page: Page, file: Path, *, name: str, cap: int) -> None:
    """Create and start a campaign as a person does, from the list of campaigns."""
    page.goto("/campaigns/new")
    choose_file(page, file)
    expect(page.locator(".tally[role=status]")).to_be_visible()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Assistant", exact=True).select_option(index=1)
    page.get_by_label("Line", exact=True).select_option(index=1)
    page.get_by_label("Cap: calls at once").fill(str(cap))
    page.get_by_role("button", name="Create and start").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
