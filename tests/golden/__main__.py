"""Write the golden file of each event class that has none: `python -m tests.golden`.

A golden file is a stored event's state as it lies in the event store, named by its
topic. It is written once and never overwritten: what was stored stays readable.

Where a class gains an optional field, rename its file to `<topic>.<date>.json` and run
this again: the renamed one must go on being read, the new one is what is written now.
"""

import sys

from tests.golden.catalogue import FOLDER, write_missing

if __name__ == "__main__":
    for file in write_missing(FOLDER):
        sys.stdout.write(f"{file.name}\n")
