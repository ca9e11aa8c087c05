"""Faults that axe finds on the page that a browser shows."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from axe_playwright_python.base import (  # type: ignore[import-untyped]  # it brings no types
    AXE_SCRIPT,
)
from playwright.sync_api import Page, ViewportSize

type ColorScheme = Literal["light", "dark"]
COLOURS: tuple[ColorScheme, ...] = ("light", "dark")
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
LOOKS: tuple[tuple[ViewportSize, Sequence[ColorScheme]], ...] = (
    (DESKTOP, COLOURS),
    (PHONE, ("light",)),
)
"""The sizes and colours in which a page is checked.

Colours do not depend on the size, so the dark ones are checked in one size.
"""
ALL_RULES: dict[str, Any] = {"resultTypes": ["violations"]}
OF_COLOURS: dict[str, Any] = ALL_RULES | {"runOnly": ["color-contrast"]}
FAULTS = """options => axe.run(document, options).then(({ violations }) =>
  violations.flatMap(({ id, nodes }) => nodes.map((node) =>
    `${id}: ${node.target}: ${node.failureSummary}`)))"""


def faults_of(page: Page, rules: Mapping[str, Any] = ALL_RULES) -> list[str]:
    """Return one text for each element that breaks a rule, empty if none does."""
    if page.evaluate("typeof axe") == "undefined":  # It is loaded once for each page.
        page.evaluate(AXE_SCRIPT)
    faults: list[str] = page.evaluate(FAULTS, rules)
    return faults


def faults_in_all_looks(page: Page) -> list[str]:
    """Return the faults in all sizes and colours; only contrasts differ by colours."""
    faults: list[str] = []
    for size, schemes in LOOKS:
        page.set_viewport_size(size)
        for scheme in schemes:
            page.emulate_media(color_scheme=scheme)
            rules = ALL_RULES if scheme == schemes[0] else OF_COLOURS
            where = f"{scheme} {size['width']}"
            faults += [f"{where}: {fault}" for fault in faults_of(page, rules)]
    return faults
