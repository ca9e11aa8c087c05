"""Places and time zones of a campaign's contacts, as a table for SQL.

They are those of the contact's group, which was determined at the import. Without a
group they follow from the number's first digits and from the cells that name a place.
Few combinations occur in a campaign, so each is resolved once.
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
from domain.gate.groups import NOT_PLACED
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

_IS_UNGROUPED: LiteralString = f"k.group_id = {NOT_PLACED}"

JOINED_PLACES: LiteralString = f"""
    left join contact_group g on g.group_id = k.group_id
    left join {PLACES} on place.key = case when {_IS_UNGROUPED} then {KEY} end
"""
"""SQL joins that add the places of contacts `k` with their vault rows `v`.

Contacts of imports before there were groups have no group; their places are resolved.
"""

PLACE_CODES: LiteralString = """
    case when v.phone is not null then coalesce(nullif(g.codes, ''), place.code_list)
        end
"""
ONLY_ZONE: LiteralString = """
    case when v.phone is not null then
        case when g.group_id is null then place.only_zone
            when position(' ' in g.zones) = 0 then nullif(g.zones, '') end
        end
"""
PLACES_JSON: LiteralString = """
    case when v.phone is null then '[]'
        else coalesce(to_json(string_to_array(g.codes, ' ')), place.codes, '[]') end
"""
ZONES_JSON: LiteralString = """
    case when v.phone is null then '[]'
        else coalesce(to_json(string_to_array(g.zones, ' ')), place.zones, '[]') end
"""

_ARE_UNGROUPED: LiteralString = f"""
    select exists (
        select from contact_import i join contact_group_count n using (list_id)
        where i.campaign_id = %(campaign)s and n.group_id = {NOT_PLACED}
            and n.contacts > 0
    )
"""  # noqa: S608 - our own text

_KEYS: LiteralString = f"""
    select {KEY} as key, min(v.phone),
        min(case when v.attributes is not null then json_build_array({_CELLS})::text
            end)
    from contact_import i
    join contact_log k using (list_id)
    join contact_vault v using (contact_id, list_id)
    where i.campaign_id = %(campaign)s and i.imported_position is not null
        and v.phone is not null and {_IS_UNGROUPED}
    group by key
"""  # noqa: S608 - our own text


def places_of_campaign(conn: Conn, campaign_id: UUID) -> str:
    """Return the JSON of PLACES for the contacts of a campaign without a group."""
    values = {"campaign": campaign_id}
    if conn.execute(_ARE_UNGROUPED, values).fetchone() == (False,):
        return "[]"
    rows = conn.execute(_KEYS, values)
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
