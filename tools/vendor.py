"""Refresh the dashboard's libraries from their packages, as vendor.json names them.

`python tools/vendor.py`, with npm at hand; to move to a newer release, change the
version in vendor.json first. Nothing else ever needs npm.
"""  # noqa: INP001 - run by its path, never imported

import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

VENDOR = Path(__file__).parents[1] / "interfaces/dashboard/static/vendor"
MANIFEST = VENDOR / "vendor.json"


def main() -> None:
    libraries = json.loads(MANIFEST.read_text())
    for library in libraries:
        _refresh(library)
    MANIFEST.write_text(json.dumps(libraries, indent=2) + "\n")


def _refresh(library: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        package = _unpacked(f"{library['name']}@{library['version']}", Path(folder))
        for file in library["files"]:
            target = VENDOR / file["to"]
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(package / file["from"], target)
            file["sha256"] = hashlib.sha256(target.read_bytes()).hexdigest()


def _unpacked(release: str, folder: Path) -> Path:
    npm = shutil.which("npm") or "npm"
    subprocess.run([npm, "pack", release, "--silent"], cwd=folder, check=True)  # noqa: S603 - the release is named in our own file
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"


if __name__ == "__main__":
    main()
