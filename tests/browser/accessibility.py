"""Faults that axe finds on the page that a browser shows."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from axe_playwright_python.base import (  # type: ignore[import-untyped]  # it brings no types
    AXE_SCRIPT,
)
from playwright.sync_api import Page

type ColorScheme = Literal["light", "dark"]
COLOURS: tuple[ColorScheme, ...] = ("light", "dark")
ALL_RULES: Mapping[str, Any] = {"resultTypes": ["violations"]}
OF_COLOURS: Mapping[str, Any] = ALL_RULES | {"runOnly": ["color-contrast"]}
FAULTS = """options => axe.run(document, options).then(({ violations }) =>
  violations.flatMap(({ id, nodes }) => nodes.map((node) =>
    `${id}: ${node.target}: ${node.failureSummary}`)))"""


def faults_of(page: Page, rules: Mapping[str, Any] = ALL_RULES) -> list[str]:
    """Return one text for each element that breaks a rule, empty if none does."""
    if page.evaluate("typeof axe") == "undefined":  # Loading it takes half a second.
        page.evaluate(AXE_SCRIPT)
    faults: list[str] = page.evaluate(FAULTS, rules)
    return faults


def faults_in_colours(
    page: Page, schemes: Sequence[ColorScheme] = COLOURS
) -> list[str]:
    """Return the faults in each colour scheme; only contrasts can differ by it."""
    faults: list[str] = []
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        rules = ALL_RULES if scheme == schemes[0] else OF_COLOURS
        faults += [f"{scheme}: {fault}" for fault in faults_of(page, rules)]
    return faults
