"""Cells that a spreadsheet program would run as formulas, and their protection.

Exports put an apostrophe before such a cell; a file that is uploaded is read without
it. A cell that itself begins with apostrophes before such a sign gets one more, so that
every cell is read back as it was.
"""

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_PHONE = re.compile(r"\+[0-9]{6,15}")
_PROTECTED_ANYWHERE = re.compile(r"'[=+\-@\t\r]")
_PROTECTED = re.compile(r"'+[=+\-@\t\r]")


def protected(cell: str) -> str:
    """Put an apostrophe before a formula; phone numbers (E.164) stay unchanged."""
    if _FORMULA.match(cell) and not _PHONE.fullmatch(cell):
        return f"'{cell}"
    return cell


def unprotected(cell: str) -> str:
    """Take away the apostrophe that `protected` put before a cell."""
    return cell[1:] if _PROTECTED.match(cell) else cell


def may_be_protected(text: str) -> bool:
    """Say whether some cell within a text may be protected."""
    # Most texts have no apostrophe, which is found much faster than the expression.
    return "'" in text and _PROTECTED_ANYWHERE.search(text) is not None
