"""States and provinces with their time zones, by ISO 3166-2 code.

Only countries whose parts differ in time zone or in calling rules are listed; in all
others the country decides. Zones: IANA time zone database; a state that is divided has
all of its zones.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Subdivision:
    """A part of a country: its English name and IANA time zones."""

    name: str
    time_zones: tuple[str, ...]


_EASTERN, _CENTRAL = "America/New_York", "America/Chicago"
_MOUNTAIN, _PACIFIC = "America/Denver", "America/Los_Angeles"

_TABLE: Mapping[str, tuple[str, ...]] = {
    "US-AL Alabama": (_CENTRAL, _EASTERN),
    "US-AK Alaska": ("America/Anchorage", "America/Adak"),
    "US-AS American Samoa": ("Pacific/Pago_Pago",),
    "US-AZ Arizona": ("America/Phoenix", _MOUNTAIN),
    "US-AR Arkansas": (_CENTRAL,),
    "US-CA California": (_PACIFIC,),
    "US-CO Colorado": (_MOUNTAIN,),
    "US-CT Connecticut": (_EASTERN,),
    "US-DE Delaware": (_EASTERN,),
    "US-DC District of Columbia": (_EASTERN,),
    "US-FL Florida": (_EASTERN, _CENTRAL),
    "US-GA Georgia": (_EASTERN,),
    "US-GU Guam": ("Pacific/Guam",),
    "US-HI Hawaii": ("Pacific/Honolulu",),
    "US-ID Idaho": ("America/Boise", _PACIFIC),
    "US-IL Illinois": (_CENTRAL,),
    "US-IN Indiana": ("America/Indiana/Indianapolis", _CENTRAL),
    "US-IA Iowa": (_CENTRAL,),
    "US-KS Kansas": (_CENTRAL, _MOUNTAIN),
    "US-KY Kentucky": (_EASTERN, _CENTRAL),
    "US-LA Louisiana": (_CENTRAL,),
    "US-ME Maine": (_EASTERN,),
    "US-MD Maryland": (_EASTERN,),
    "US-MA Massachusetts": (_EASTERN,),
    "US-MI Michigan": ("America/Detroit", "America/Menominee"),
    "US-MN Minnesota": (_CENTRAL,),
    "US-MS Mississippi": (_CENTRAL,),
    "US-MO Missouri": (_CENTRAL,),
    "US-MP Northern Mariana Islands": ("Pacific/Guam",),
    "US-MT Montana": (_MOUNTAIN,),
    "US-NE Nebraska": (_CENTRAL, _MOUNTAIN),
    "US-NV Nevada": (_PACIFIC, _MOUNTAIN),
    "US-NH New Hampshire": (_EASTERN,),
    "US-NJ New Jersey": (_EASTERN,),
    "US-NM New Mexico": (_MOUNTAIN,),
    "US-NY New York": (_EASTERN,),
    "US-NC North Carolina": (_EASTERN,),
    "US-ND North Dakota": (_CENTRAL, _MOUNTAIN),
    "US-OH Ohio": (_EASTERN,),
    "US-OK Oklahoma": (_CENTRAL,),
    "US-OR Oregon": (_PACIFIC, "America/Boise"),
    "US-PA Pennsylvania": (_EASTERN,),
    "US-PR Puerto Rico": ("America/Puerto_Rico",),
    "US-RI Rhode Island": (_EASTERN,),
    "US-SC South Carolina": (_EASTERN,),
    "US-SD South Dakota": (_CENTRAL, _MOUNTAIN),
    "US-TN Tennessee": (_EASTERN, _CENTRAL),
    "US-TX Texas": (_CENTRAL, _MOUNTAIN),
    "US-UT Utah": (_MOUNTAIN,),
    "US-VT Vermont": (_EASTERN,),
    "US-VA Virginia": (_EASTERN,),
    "US-VI Virgin Islands": ("America/St_Thomas",),
    "US-WA Washington": (_PACIFIC,),
    "US-WV West Virginia": (_EASTERN,),
    "US-WI Wisconsin": (_CENTRAL,),
    "US-WY Wyoming": (_MOUNTAIN,),
    "CA-AB Alberta": ("America/Edmonton",),
    "CA-BC British Columbia": (
        "America/Vancouver",
        "America/Edmonton",
        "America/Fort_Nelson",
        "America/Creston",
    ),
    "CA-MB Manitoba": ("America/Winnipeg",),
    "CA-NB New Brunswick": ("America/Moncton",),
    "CA-NL Newfoundland and Labrador": ("America/St_Johns", "America/Goose_Bay"),
    "CA-NS Nova Scotia": ("America/Halifax",),
    "CA-NT Northwest Territories": ("America/Edmonton",),
    "CA-NU Nunavut": ("America/Iqaluit", "America/Rankin_Inlet", "America/Edmonton"),
    "CA-ON Ontario": ("America/Toronto", "America/Winnipeg", "America/Atikokan"),
    "CA-PE Prince Edward Island": ("America/Halifax",),
    "CA-QC Quebec": ("America/Toronto", "America/Halifax", "America/Blanc-Sablon"),
    "CA-SK Saskatchewan": ("America/Regina", "America/Edmonton"),
    "CA-YT Yukon": ("America/Whitehorse",),
    "AU-ACT Australian Capital Territory": ("Australia/Sydney",),
    "AU-NSW New South Wales": (
        "Australia/Sydney",
        "Australia/Broken_Hill",
        "Australia/Lord_Howe",
    ),
    "AU-NT Northern Territory": ("Australia/Darwin",),
    "AU-QLD Queensland": ("Australia/Brisbane", "Australia/Lindeman"),
    "AU-SA South Australia": ("Australia/Adelaide",),
    "AU-TAS Tasmania": ("Australia/Hobart",),
    "AU-VIC Victoria": ("Australia/Melbourne",),
    "AU-WA Western Australia": ("Australia/Perth", "Australia/Eucla"),
    "BR-AC Acre": ("America/Rio_Branco",),
    "BR-AL Alagoas": ("America/Maceio",),
    "BR-AP Amapá": ("America/Belem",),
    "BR-AM Amazonas": ("America/Manaus", "America/Eirunepe"),
    "BR-BA Bahia": ("America/Bahia",),
    "BR-CE Ceará": ("America/Fortaleza",),
    "BR-DF Distrito Federal": ("America/Sao_Paulo",),
    "BR-ES Espírito Santo": ("America/Sao_Paulo",),
    "BR-GO Goiás": ("America/Sao_Paulo",),
    "BR-MA Maranhão": ("America/Fortaleza",),
    "BR-MT Mato Grosso": ("America/Cuiaba",),
    "BR-MS Mato Grosso do Sul": ("America/Campo_Grande",),
    "BR-MG Minas Gerais": ("America/Sao_Paulo",),
    "BR-PA Pará": ("America/Belem", "America/Santarem"),
    "BR-PB Paraíba": ("America/Fortaleza",),
    "BR-PR Paraná": ("America/Sao_Paulo",),
    "BR-PE Pernambuco": ("America/Recife", "America/Noronha"),
    "BR-PI Piauí": ("America/Fortaleza",),
    "BR-RJ Rio de Janeiro": ("America/Sao_Paulo",),
    "BR-RN Rio Grande do Norte": ("America/Fortaleza",),
    "BR-RS Rio Grande do Sul": ("America/Sao_Paulo",),
    "BR-RO Rondônia": ("America/Porto_Velho",),
    "BR-RR Roraima": ("America/Boa_Vista",),
    "BR-SC Santa Catarina": ("America/Sao_Paulo",),
    "BR-SP São Paulo": ("America/Sao_Paulo",),
    "BR-SE Sergipe": ("America/Maceio",),
    "BR-TO Tocantins": ("America/Araguaina",),
}

SUBDIVISIONS: Mapping[str, Subdivision] = {
    key.split(" ", 1)[0]: Subdivision(key.split(" ", 1)[1], zones)
    for key, zones in _TABLE.items()
}

_OTHER_NAMES = {
    "US-DC": ("Washington DC",),
    "US-VI": ("US Virgin Islands",),
    "CA-BC": ("Colombie-Britannique",),
    "CA-NB": ("Nouveau-Brunswick",),
    "CA-NL": ("Newfoundland", "Terre-Neuve-et-Labrador"),
    "CA-NS": ("Nouvelle-Écosse",),
    "CA-NT": ("Territoires du Nord-Ouest",),
    "CA-PE": ("Île-du-Prince-Édouard",),
    "CA-YT": ("Yukon Territory",),
}


def names_of(country: str) -> dict[str, str]:
    """Return the ISO 3166-2 codes of a country's parts by all their spellings.

    The spellings are the code with and without the country, and the names; empty for
    a country whose parts are not listed.
    """
    return {
        spelling: code
        for code, own in SUBDIVISIONS.items()
        if code.startswith(f"{country}-")
        for spelling in (code, code[3:], own.name, *_OTHER_NAMES.get(code, ()))
    }


BRAZIL_AREA_CODES: Mapping[str, str] = {
    **dict.fromkeys(("21", "22", "24"), "BR-RJ"),
    **dict.fromkeys(("27", "28"), "BR-ES"),
}
"""The area codes of the states of Brazil that have calling rules of their own."""
