"""Check the types of the dashboard's modules against the schema, with TypeScript.

`python tools/check_dashboard.py [FOLDER]`; TypeScript and the libraries' types are
brought by npm into FOLDER, a new temporary one where none is named.
"""  # noqa: INP001 - run by its path, never imported

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from graphql import build_schema, validate

from interfaces.dashboard.documents import read_source
from interfaces.dashboard.site import STATIC
from interfaces.dashboard.types import declarations

TYPESCRIPT = "typescript@7.0.2"
SCHEMA = Path(__file__).parents[1] / "interfaces/graphql/schema.graphql"


def main() -> int:
    if not shutil.which("npm"):
        sys.stderr.write("Skipped the dashboard's types: there is no Node here.\n")
        return 0
    if len(sys.argv) > 1:
        return _check(Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as folder:
        return _check(Path(folder))


def _check(folder: Path) -> int:
    generated = folder / "generated"
    generated.mkdir(parents=True, exist_ok=True)
    schema = build_schema(SCHEMA.read_text("utf-8"))
    source = read_source()
    if problems := validate(schema, source):
        sys.stderr.write("\n".join(problem.message for problem in problems) + "\n")
        return 1
    types = declarations(schema, source)
    (generated / "ops.d.ts").write_text(types, "utf-8")
    (folder / "tsconfig.json").write_text(json.dumps(_configuration(folder)), "utf-8")
    if not (folder / "node_modules/.bin/tsc").exists():
        _run(folder, "npm", "install", "--no-save", "--silent", *_packages())
    command = [folder / "node_modules/.bin/tsc", "-p", folder]
    return subprocess.run(command, check=False).returncode  # noqa: S603 - the program that was just installed


def _packages() -> list[str]:
    libraries = json.loads((STATIC / "vendor/vendor.json").read_text("utf-8"))
    own = [f"{library['name']}@{library['version']}" for library in libraries]
    return [TYPESCRIPT, *own, "graphql@16"]


def _run(folder: Path, program: str, *arguments: str) -> None:
    found = shutil.which(program) or program
    quiet = os.environ | {"npm_config_audit": "false", "npm_config_fund": "false"}
    subprocess.run([found, *arguments], cwd=folder, env=quiet, check=True)  # noqa: S603 - our own fixed command


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
