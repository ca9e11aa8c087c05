"""SQL of cells that spreadsheet programs show as they are."""

from typing import LiteralString

# The first character as a number: ' = + - @, tab and return. Asking for it as text
# would take as long as all the joins. Most cells begin with a letter, which one
# comparison shows. The rule is that of `spreadsheet_text.protected`;
# numbers with an extension are not formulas either.
_HARMLESS: LiteralString = """
    case when ascii({0}) < 65 and ascii({0}) in (39, 61, 43, 45, 64, 9, 13)
            and {0} ~ '^''*[=+@\\t\\r-]'
            and {0} !~ '^[+][0-9]{{6,15}}( ext[.] [0-9]+)?$'
        then '''' || {0} else nullif({0}, '') end
"""

_NUMBER: LiteralString = "'^-[0-9]+([.][0-9]+)?([eE][-+]?[0-9]+)?$'"


def harmless(text: str) -> str:
    """Return the SQL expression of a cell that no spreadsheet program executes.

    An apostrophe is put before a formula, and before a cell that looks as if it had
    such an apostrophe already. An upload reads the cell without it. Phone numbers stay
    unchanged.
    """
    return _HARMLESS.format(text)


def harmless_phone(phone: str, extension: str) -> str:
    """Return the SQL expression of a number with its extension, like `harmless`.

    It is written as by `phone_numbers.with_extension`, so an upload can read it back.
    Numbers in E.164, which need no apostrophe, are recognised without the two regular
    expressions of `harmless`.
    """
    text = f"({phone} || coalesce(' ext. ' || {extension}, ''))"
    digits = "'0123456789'"
    return f"""
        case when starts_with({phone}, '+') and length({phone}) between 7 and 16
                and ltrim(substr({phone}, 2), {digits}) = ''
                and ({extension} is null or ltrim({extension}, {digits}) = '')
            then {text} else {harmless(text)} end
    """


def harmless_or_number(text: str) -> str:
    """Return the SQL expression like `harmless`, but leave negative numbers alone.

    Only a text that begins with a minus needs the regular expression: `harmless` does
    not change other numbers.
    """
    is_number = f"ascii({text}) = {ord('-')} and {text} ~ {_NUMBER}"
    return f"case when {is_number} then {text} else {harmless(text)} end"


def time(column: str) -> str:
    """Return the SQL expression of a time in UTC, as ISO 8601 with whole seconds."""
    return f"""to_char({column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""


def identifier(name: str) -> str:
    """Quote a name for SQL with parameters, where each % is doubled."""
    return '"' + name.replace('"', '""').replace("%", "%%") + '"'


def literal(text: str) -> str:
    """Quote a text for SQL with parameters, where each % is doubled."""
    return "'" + text.replace("'", "''").replace("%", "%%") + "'"
