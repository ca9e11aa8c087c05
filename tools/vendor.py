"""Download the dashboard's libraries in the versions that vendor.json names.

Run `python tools/vendor.py`; it needs npm. To upgrade a library, change its version in
vendor.json first. Digests in vendor.json are updated.
"""

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
    """Download all libraries and update the digests."""
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
    subprocess.run([npm, "pack", release, "--silent"], cwd=folder, check=True)  # noqa: S603 - the release comes from vendor.json
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"


if __name__ == "__main__":
    main()
