"""States, provinces and territories of countries whose calling rules differ by them.

ISO 3166-2 codes with the names in English, and French for Canada (read 2026-11-28).
"""

from application.contacts.column_names import column_key

_UNITED_STATES = """
AL Alabama, AK Alaska, AZ Arizona, AR Arkansas, CA California, CO Colorado,
CT Connecticut, DE Delaware, DC District of Columbia, FL Florida, GA Georgia, HI Hawaii,
ID Idaho, IL Illinois, IN Indiana, IA Iowa, KS Kansas, KY Kentucky, LA Louisiana,
ME Maine, MD Maryland, MA Massachusetts, MI Michigan, MN Minnesota, MS Mississippi,
MO Missouri, MT Montana, NE Nebraska, NV Nevada, NH New Hampshire, NJ New Jersey,
NM New Mexico, NY New York, NC North Carolina, ND North Dakota, OH Ohio, OK Oklahoma,
OR Oregon, PA Pennsylvania, RI Rhode Island, SC South Carolina, SD South Dakota,
TN Tennessee, TX Texas, UT Utah, VT Vermont, VA Virginia, WA Washington,
WV West Virginia, WI Wisconsin, WY Wyoming, PR Puerto Rico, GU Guam,
VI US Virgin Islands, VI Virgin Islands, AS American Samoa,
MP Northern Mariana Islands, DC Washington DC
"""
_CANADA = """
AB Alberta, BC British Columbia, MB Manitoba, NB New Brunswick,
NL Newfoundland and Labrador, NL Newfoundland, NS Nova Scotia, NT Northwest Territories,
NU Nunavut, ON Ontario, PE Prince Edward Island, QC Quebec, SK Saskatchewan, YT Yukon,
BC Colombie-Britannique, NB Nouveau-Brunswick, NL Terre-Neuve-et-Labrador,
NS Nouvelle-Écosse, NT Territoires du Nord-Ouest, PE Île-du-Prince-Édouard,
YT Yukon Territory
"""
_AUSTRALIA = """
ACT Australian Capital Territory, NSW New South Wales, NT Northern Territory,
QLD Queensland, SA South Australia, TAS Tasmania, VIC Victoria, WA Western Australia
"""


def _read(country: str, names: str) -> dict[str, str]:
    known: dict[str, str] = {}
    for entry in names.split(","):
        code, _, name = entry.strip().partition(" ")
        for spelling in (code, name, f"{country}{code}"):
            known[column_key(spelling)] = f"{country}-{code}"
    return known


SUBDIVISIONS = {
    "US": _read("US", _UNITED_STATES),
    "CA": _read("CA", _CANADA),
    "AU": _read("AU", _AUSTRALIA),
}
"""ISO 3166-2 codes by country and by spelling, as `column_key` writes it."""
