"""Files, links, commands, make targets and variables in the documentation exist."""

import re
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest
import typer

from application.configuration import Configuration
from domain.settings import SettingsValues
from interfaces.cli.main import build

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
PACKAGES = "domain|application|storage|projections|provider|scheduler|interfaces|tests"
FOLDERS = f"{PACKAGES}|deploy|docs|bench|tools|\\.ci"
NAMED = re.compile(rf"(?<![\w./-])((?:{FOLDERS})/[\w./-]*\w/?)")
LINK = re.compile(r"\]\(([^)#\s]*)(#[\w-]+)?\)")
COMMAND = re.compile(r"\bautolynx ([a-z]+(?: [a-z-]*[a-z])*)")
VARIABLE = re.compile(r"\bAUTOLYNX_[A-Z_]*[A-Z]\b")
DIAGRAMS = ("flowchart ", "sequenceDiagram\n", "stateDiagram-v2\n")
OTHER_VARIABLES = {"AUTOLYNX_SECRETS_DIR", "AUTOLYNX_SETTINGS"}
GENERATED = tuple(line.strip("/") for line in (ROOT / ".gitignore").read_text().split())
"""Paths that exist only after a command created them."""

MEDIA_TYPES = ("application/json",)

pages = pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: str(page.relative_to(ROOT))
)


def headings(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub computes them."""
    found = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in found}


def fenced(page: Path, language: str) -> Iterator[str]:
    """Yield the text of each fenced code block of a language."""
    fence = rf"^```{language}\n(.*?)^```$"
    yield from re.findall(fence, page.read_text(), re.MULTILINE | re.DOTALL)


@pages
def test_every_file_named_on_a_page_exists(page: Path) -> None:
    named = {name.rstrip("/") for name in NAMED.findall(page.read_text())}
    named -= {name for name in named if name.startswith(GENERATED + MEDIA_TYPES)}
    missing = [
        name
        for name in sorted(named)
        if not (ROOT / name).exists() and not (page.parent / name).exists()
    ]
    assert missing == []


@pages
def test_every_link_has_a_target(page: Path) -> None:
    for path, anchor in LINK.findall(page.read_text()):
        if "://" in path:
            continue
        target = page.parent / path if path else page
        assert target.exists(), path
        assert not anchor or anchor[1:] in headings(target), path + anchor


@cache
def commands() -> dict[str, set[str]]:
    """Return the names of all commands, each with the names of its subcommands."""
    found = typer.main.get_command(build())
    subcommands = getattr(found, "commands", {})
    return {
        name: set(getattr(one, "commands", {})) for name, one in subcommands.items()
    }


@pages
def test_every_autolynx_command_on_a_page_exists(page: Path) -> None:
    known = commands()
    text = page.read_text()
    spans = re.findall(r"`([^`\n]+)`", text) + re.findall(
        r"^```[\w ]*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL
    )
    for words in COMMAND.findall("\n".join(spans)):
        name, *more = words.split()
        assert name in known, words
        if known[name] and more:
            assert more[0] in known[name], words


@pages
def test_every_make_target_on_a_page_exists(page: Path) -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    wanted = set(re.findall(r"(?:^|`)make (\w+)", page.read_text(), re.MULTILINE))
    assert wanted <= targets


@pages
def test_every_environment_variable_on_a_page_is_configurable(page: Path) -> None:
    ours = [*Configuration.model_fields]
    ours += [f"settings_{field.name}" for field in fields(SettingsValues)]
    known = {f"AUTOLYNX_{name.upper()}" for name in ours}
    assert set(VARIABLE.findall(page.read_text())) <= known | OTHER_VARIABLES


@pages
def test_mermaid_diagrams_have_a_known_type_and_balanced_brackets(page: Path) -> None:
    for diagram in fenced(page, "mermaid"):
        assert diagram.startswith(DIAGRAMS)
        for opening, closing in ("[]", "()", "{}"):
            assert diagram.count(opening) == diagram.count(closing)
        ends = len(re.findall(r"^\s*end$", diagram, re.MULTILINE))
        assert ends == len(re.findall(r"^\s*(?:alt|loop|opt) ", diagram, re.MULTILINE))


def test_the_map_in_the_readme_lists_every_package() -> None:
    readme = (ROOT / "README.md").read_text()
    rows = [line for line in readme.splitlines() if line.startswith("| `")]
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert [name for name in packages if f"`{name}/`" not in "".join(rows)] == []


def test_images_in_the_readme_are_smaller_than_200_kb() -> None:
    for path, _ in LINK.findall((ROOT / "README.md").read_text()):
        if path.endswith(".png"):
            assert (ROOT / path).stat().st_size < 200_000


def test_the_index_of_operations_links_every_page() -> None:
    folder = ROOT / "docs/operations"
    linked = {path for path, _ in LINK.findall((folder / "README.md").read_text())}
    existing = {path.name for path in folder.glob("*.md")} - {"README.md"}
    assert existing <= linked


def test_decisions_are_numbered_without_gaps_and_their_titles_match() -> None:
    files = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert [int(file.name[:4]) for file in files] == [*range(1, len(files) + 1)]
    for number, file in enumerate(files, start=1):
        assert file.read_text().startswith(f"# {number}. ")


def test_the_glossary_defines_each_term_once() -> None:
    text = (ROOT / "docs/glossary.md").read_text()
    cells = re.findall(r"^\| (\*\*.*?) \|", text, re.MULTILINE)
    terms = [term for cell in cells for term in re.findall(r"\*\*(.+?)\*\*", cell)]
    assert terms
    assert len(terms) == len(set(terms))
