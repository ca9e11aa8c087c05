"""Places and time zones of a campaign's contacts, as a table for SQL.

They follow from the number's first digits and from the cells that name a place. Few
combinations occur in a campaign, so each is resolved once.
"""

from collections.abc import Sequence
from typing import LiteralString
from uuid import UUID

import orjson

from application.contacts.files.contact_values import (
    COUNTRY,
    POSTAL_CODE,
    SUBDIVISION,
    TIME_ZONE,
)
from application.places.resolver import (
    BRAZIL,
    NORTH_AMERICA,
    InvalidPostalCode,
    StatedPlace,
    resolve,
)
from domain.gate.places import Places
from storage.database import Conn

# Area codes decide in North America and Brazil. Elsewhere eight characters distinguish
# countries that share a code, such as +44 1534 (Jersey) or +39 06 698 (Vatican City).
_DIGITS: LiteralString = f"""
    left(v.phone, case when v.phone like '{NORTH_AMERICA}%%'
        or v.phone like '{BRAZIL}%%' then 5 else 8 end)
"""

_CELLS: LiteralString = ", ".join(
    f"v.attributes ->> '{name}'"
    for name in (TIME_ZONE, COUNTRY, SUBDIVISION, POSTAL_CODE)
)

KEY: LiteralString = f"""
    case when v.attributes is null then {_DIGITS}
        else {_DIGITS} || json_build_array({_CELLS})::text end
"""
"""SQL expression of what the places of a contact depend on; `v` is its vault row."""

PLACES: LiteralString = """
    json_to_recordset(%(places)s::json)
        as place (key text, codes json, zones json, code_list text, only_zone text)
"""
"""The table of places by KEY, as a parameter of the statement.

`code_list` are the codes separated by spaces; `only_zone` is null if there are several.
"""

_KEYS: LiteralString = f"""
    select {KEY} as key, min(v.phone),
        min(case when v.attributes is not null then json_build_array({_CELLS})::text
            end)
    from contact_import i
    join contact_log k using (list_id)
    join contact_vault v using (contact_id, list_id)
    where i.campaign_id = %(campaign)s and i.imported_position is not null
        and v.phone is not null
    group by key
"""  # noqa: S608 - our own text


def places_of_campaign(conn: Conn, campaign_id: UUID) -> str:
    """Return the JSON of PLACES for a campaign."""
    rows = conn.execute(_KEYS, {"campaign": campaign_id})
    return orjson.dumps(
        [
            _as_row(key, _resolved(phone, orjson.loads(cells) if cells else ()))
            for key, phone, cells in rows
        ]
    ).decode()


def _as_row(key: str, places: Places) -> dict[str, object]:
    zones = places.time_zones
    return {
        "key": key,
        "codes": places.codes,
        "zones": zones,
        "code_list": " ".join(places.codes),
        "only_zone": zones[0] if len(zones) == 1 else None,
    }


def _resolved(phone: str, cells: Sequence[str | None]) -> Places:
    try:
        return resolve(phone, StatedPlace(*cells))
    except InvalidPostalCode:  # The upload did not check it.
        return resolve(phone)
