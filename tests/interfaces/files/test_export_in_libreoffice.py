"""An exported file as LibreOffice Calc reads it."""

import csv
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.interfaces.serving import ApiClient

OFFICE = shutil.which("soffice") or shutil.which("libreoffice")

NAMES = ["Zoë Łuczak", "=1+1", "李小龍", 'Ann "A", Bob', "'quoted"]


@pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed.")
def test_libreoffice_shows_names_and_numbers_of_an_export(
    shared_api: ApiClient, tmp_path: Path
) -> None:
    people = [[name, f"+1212555{n:04}"] for n, name in enumerate(NAMES, 100)]
    with (tmp_path / "people.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["name", "phone"], *people])
    id_ = shared_api.campaign((tmp_path / "people.csv").read_text())
    content = shared_api.get(f"/campaigns/{id_}/export.csv?columns=all&bom=1").content
    (tmp_path / "export.csv").write_bytes(content)
    shown = read_with_office(tmp_path / "export.csv", tmp_path)
    assert [row["name"].removeprefix("'") for row in shown] == [
        name.removeprefix("'") for name in NAMES
    ]
    numbers = [row["phone"].removeprefix("+") for row in shown]
    assert numbers == [phone.removeprefix("+") for _, phone in people]


def read_with_office(file: Path, folder: Path) -> list[dict[str, str]]:
    """Open the file in LibreOffice and return the cells that it shows."""
    assert OFFICE is not None
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    to_csv = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,true"
    command = [OFFICE, profile, "--headless", "--convert-to", to_csv]
    out = folder / "shown"
    subprocess.run(
        [*command, "--infilter=CSV:44,34,76,1", "--outdir", out, file],
        check=True,
        timeout=120,
    )
    with (out / "export.csv").open(encoding="utf-8", newline="") as shown:
        return list(csv.DictReader(shown))
