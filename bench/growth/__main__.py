"""The growth of costs with the data: `python -m bench.growth`.

Each operation is measured at a small size, ten times and a hundred times that size. An
exponent of 0 means that the cost does not depend on the size, 1 that both grow alike.
`--keep` writes the curves to `docs/growth/` and the table to `docs/growth.md`.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from bench.growth.curves import Subject, as_table
from bench.growth.plot import plot
from bench.growth.subjects import SUBJECTS
from bench.support.document import machine
from bench.support.installation import start_server

DOCS = Path(__file__).parents[2] / "docs"
FACTORS = (1, 10, 100)
PAGE = """# Growth

`python -m bench.growth --keep` measures operations at three sizes of their data, each
ten times the one before, and writes this page. An exponent of 0 means that the cost
does not depend on the size, 1 that it is proportional to it. Each value is the lowest
of five measurements; rebuild, verification and reception are measured once.

{machine}

{table}
{images}"""


def main() -> int:
    """Print the table; return 1 if a cost grows faster than its data."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as folder, start_server(Path(folder)) as server:
        subjects = list[Subject]()
        for key in arguments.only or SUBJECTS:
            measure, base = SUBJECTS[key]
            smallest = max(int(base * arguments.scale), 1)
            subjects.append(measure(server, [smallest * one for one in FACTORS]))
            print(as_table(subjects[-1:]), flush=True)
    if arguments.keep:
        _keep(subjects)
    curves = [curve for subject in subjects for curve in subject.curves.values()]
    return int(any(curve.grows_too_fast for curve in curves))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.growth")
    parser.add_argument("--only", action="append", choices=SUBJECTS)
    parser.add_argument("--scale", type=float, default=1.0, help="of all sizes")
    parser.add_argument("--keep", action="store_true", help="write docs/growth.md")
    return parser.parse_args()


def _keep(subjects: list[Subject]) -> None:
    folder = DOCS / "growth"
    folder.mkdir(exist_ok=True)
    images = ""
    for subject in subjects:
        plot(subject, folder / f"{subject.key}.svg")
        images += f"\n![Costs by {subject.title}](growth/{subject.key}.svg)\n"
    page = PAGE.format(machine=machine(), table=as_table(subjects), images=images)
    (DOCS / "growth.md").write_text(page)


if __name__ == "__main__":
    sys.exit(main())
