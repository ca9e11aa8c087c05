"""Check the dashboard's sources: their format with prettier, their types with tsc.

`python tools/check_dashboard.py [--fix] [--folder FOLDER]`. npm installs both programs
and the libraries' types into FOLDER, by default a temporary folder. `--fix` formats the
sources instead of reporting differences. Without npm on the PATH nothing is checked.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from dashboard_types import declarations
from graphql import build_schema, validate

from interfaces.dashboard.documents import read_source
from interfaces.dashboard.site import STATES, STATIC

TYPESCRIPT = "typescript@7.0.2"
PRETTIER = "prettier@3.10.1"
MOST_COLUMNS = 120
"""Longest line of a module or style sheet; prettier does not break strings."""

PROVIDER_TYPES = "export declare const ENDED_REASONS: Record<string, string>;\n"
"""Types of the module that `site` generates from the provider's texts."""

STYLE = STATIC.parent / "prettier.json"
SCHEMA = Path(__file__).parents[1] / "interfaces/graphql/schema.graphql"


def main() -> int:
    """Run the checks; return the number of failed ones."""
    options = _options()
    if not shutil.which("npm"):
        sys.stderr.write("Dashboard check skipped: npm is not installed.\n")
        return 0
    if options.folder:
        return _check(options.folder.resolve(), fix=options.fix)
    with tempfile.TemporaryDirectory() as folder:
        return _check(Path(folder), fix=options.fix)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fix", action="store_true", help="format the sources")
    parser.add_argument("--folder", type=Path, help="where npm installs its programs")
    return parser.parse_args()


def _check(folder: Path, *, fix: bool) -> int:
    """Return the number of failed checks."""
    folder.mkdir(parents=True, exist_ok=True)
    programs = folder / "node_modules/.bin"
    if not all((programs / name).exists() for name in ("tsc", "prettier")):
        _run(folder, "npm", "install", "--no-save", "--silent", *_packages())
    return _check_format(programs, fix=fix) + _check_types(folder, programs)


def _check_format(programs: Path, *, fix: bool) -> int:
    sources = [path for path in STATIC.rglob("*") if _is_ours(path)]
    command = [programs / "prettier", "--log-level", "warn", "--config", STYLE]
    command += ["--write" if fix else "--check", *sources]
    failed = subprocess.run(command, check=False).returncode != 0  # noqa: S603 - the program was installed just before
    too_long = [
        f"{path}:{number}: longer than {MOST_COLUMNS} characters\n"
        for path in sources
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if len(line) > MOST_COLUMNS
    ]
    sys.stderr.write("".join(too_long))
    return failed + bool(too_long)


def _is_ours(path: Path) -> bool:
    return path.suffix in {".js", ".css"} and STATIC / "vendor" not in path.parents


def _check_types(folder: Path, programs: Path) -> int:
    generated = folder / "generated"
    generated.mkdir(exist_ok=True)
    schema = build_schema(SCHEMA.read_text("utf-8"))
    source = read_source()
    if problems := validate(schema, source):
        sys.stderr.write("\n".join(problem.message for problem in problems) + "\n")
        return 1
    types = declarations(schema, source)
    (generated / "ops.d.ts").write_text(types, "utf-8")
    sets = (
        f'export declare const {name}: Set<import("./ops.js").{enum}>;\n'
        for name, (enum, _) in STATES.items()
    )
    (generated / "states.d.ts").write_text("".join(sets), "utf-8")
    (generated / "provider.d.ts").write_text(PROVIDER_TYPES, "utf-8")
    (folder / "tsconfig.json").write_text(json.dumps(_configuration(folder)), "utf-8")
    command = [programs / "tsc", "-p", folder]
    return subprocess.run(command, check=False).returncode != 0  # noqa: S603 - the program was installed just before


def _packages() -> list[str]:
    libraries = json.loads((STATIC / "vendor/vendor.json").read_text("utf-8"))
    own = [f"{library['name']}@{library['version']}" for library in libraries]
    return [TYPESCRIPT, PRETTIER, *own, "graphql@16"]


def _run(folder: Path, program: str, *arguments: str) -> None:
    found = shutil.which(program) or program
    quiet = os.environ | {"npm_config_audit": "false", "npm_config_fund": "false"}
    subprocess.run([found, *arguments], cwd=folder, env=quiet, check=True)  # noqa: S603 - a fixed command


def _configuration(folder: Path) -> dict[str, object]:
    return {
        "compilerOptions": {
            "allowJs": True,
            "checkJs": True,
            "noEmit": True,
            "strict": True,
            "noUncheckedIndexedAccess": True,
            "noFallthroughCasesInSwitch": True,
            "skipLibCheck": True,
            "target": "es2024",
            "module": "esnext",
            "moduleResolution": "bundler",
            "lib": ["es2024", "dom", "dom.iterable"],
            "types": [],
            "rootDirs": [str(STATIC), str(folder / "generated")],
            "paths": {
                "*": [str(folder / "node_modules/*")],
            },
        },
        "include": [str(STATIC / "**/*.js"), str(folder / "generated/*.d.ts")],
        "exclude": [str(STATIC / "vendor")],
    }


if __name__ == "__main__":
    sys.exit(main())
