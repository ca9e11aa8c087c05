"""Names of contact file columns, by role and language.

Names are compared without case, accents, spaces, dashes, underscores and punctuation:
"First Name", "first_name" and "FirstName" are the same. Sources: the exports of
HubSpot, Salesforce, Pipedrive, Zoho, GoHighLevel, Google Contacts and Outlook in these
languages, and the import templates of voice platforms (`number,name`; `phone_number`).
"""

import re
import unicodedata
from enum import StrEnum
from functools import lru_cache

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]"
)
_SPELLED = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe"})


class ColumnRole(StrEnum):
    """What a column of a contact file is used for.

    The columns of NAME, BUSINESS_NAME and PHONE, and those IGNORED, are not kept as
    variables of the contact; all others are.
    """

    NAME = "NAME"
    FIRST_NAME = "FIRST_NAME"
    LAST_NAME = "LAST_NAME"
    BUSINESS_NAME = "BUSINESS_NAME"
    PHONE = "PHONE"
    TIME_ZONE = "TIME_ZONE"
    COUNTRY = "COUNTRY"
    SUBDIVISION = "SUBDIVISION"
    POSTAL_CODE = "POSTAL_CODE"
    CONSENT_AT = "CONSENT_AT"
    CONSENT_SOURCE = "CONSENT_SOURCE"
    EXTERNAL_ID = "EXTERNAL_ID"
    VARIABLE = "VARIABLE"
    IGNORED = "IGNORED"


_NAMES: dict[ColumnRole, dict[str, str]] = {
    ColumnRole.NAME: {
        "en": "name, full name, contact name, customer name, lead name, person name,"
        " client name, person, display name, contact full name, recipient name,"
        " patient name, member name, owner name, name full name,"
        " party name,"
        " invitee name, your name, your full name",
        "de": "vollständiger name, ansprechpartner, kontaktname, kundenname",
        "fr": "nom complet, nom et prénom, prénom et nom, nom du contact",
        "es": "nombre completo, nombre y apellidos, nombre del contacto",
        "pt": "nome completo, nome do contato, nome do cliente",
        "it": "nome completo, nome e cognome, cognome e nome, nominativo",
        "nl": "naam, volledige naam, contactpersoon, naam contactpersoon",
        "pl": "imię i nazwisko, nazwisko i imię, pełne imię",
    },
    ColumnRole.FIRST_NAME: {
        "en": "first name, given name, first, forename, contact first name, fname",
        "de": "vorname",
        "fr": "prénom",
        "es": "nombre, nombres, primer nombre",
        "pt": "nome, primeiro nome, nome próprio",
        "it": "nome",
        "nl": "voornaam",
        "pl": "imię",
    },
    ColumnRole.LAST_NAME: {
        "en": "last name, surname, family name, last, contact last name, lname",
        "de": "nachname, familienname, zuname",
        "fr": "nom, nom de famille",
        "es": "apellido, apellidos, primer apellido",
        "pt": "sobrenome, apelido, último nome",
        "it": "cognome",
        "nl": "achternaam, familienaam",
        "pl": "nazwisko",
    },
    ColumnRole.BUSINESS_NAME: {
        "en": "business name, company, company name, organization, organisation,"
        " organization name, organisation name, account name, business,"
        " employer, associated company, company or account, company account,"
        " organization 1 name,"
        " person organization, default address company",
        "de": "firma, firmenname, unternehmen, unternehmensname, organisation, betrieb",
        "fr": "entreprise, société, nom de l'entreprise, raison sociale, organisation",
        "es": "empresa, nombre de la empresa, compañía, organización, razón social",
        "pt": "empresa, nome da empresa, companhia, organização, razão social",
        "it": "azienda, nome azienda, società, ragione sociale, organizzazione",
        "nl": "bedrijf, bedrijfsnaam, organisatie, firma",
        "pl": "firma, nazwa firmy, przedsiębiorstwo, organizacja",
    },
    ColumnRole.TIME_ZONE: {
        "en": "time zone, tz, iana time zone, contact time zone",
        "de": "zeitzone",
        "fr": "fuseau horaire",
        "es": "zona horaria, huso horario",
        "pt": "fuso horário",
        "it": "fuso orario",
        "nl": "tijdzone",
        "pl": "strefa czasowa",
    },
    ColumnRole.COUNTRY: {
        "en": "country, country code, country region, mailing country, billing country",
        "de": "land, ländercode, staat",
        "fr": "pays, code pays",
        "es": "país",
        "pt": "país",
        "it": "paese, nazione",
        "nl": "land, landcode",
        "pl": "kraj",
    },
    ColumnRole.SUBDIVISION: {
        "en": "state, province, state province, state region, state code,"
        " mailing state, mailing state province, billing state, us state, subdivision",
        "de": "bundesland, kanton",
        "fr": "province, état",
        "es": "estado, provincia",
        "pt": "estado, província, uf",
        "it": "provincia, regione",
        "nl": "provincie",
        "pl": "województwo",
    },
    ColumnRole.POSTAL_CODE: {
        "en": "zip, postal code, zip code, postcode, zip postal code, post code,"
        " mailing zip, mailing postal code, mailing zip postal code, billing zip",
        "de": "plz, postleitzahl",
        "fr": "code postal",
        "es": "código postal, cp",
        "pt": "código postal, cep",
        "it": "cap, codice postale",
        "nl": "postcode",
        "pl": "kod pocztowy",
    },
    # Not "optin time": mailing tools export under this name a consent to e-mails.
    ColumnRole.CONSENT_AT: {
        "en": "consent at, consent date, consent time, consented at, consent timestamp,"
        " opt in date, opt in at, opted in at",
        "de": "einwilligung am, einwilligungsdatum",
        "fr": "date de consentement",
        "es": "fecha de consentimiento",
        "pt": "data de consentimento",
        "it": "data consenso",
        "nl": "datum toestemming",
        "pl": "data zgody",
    },
    ColumnRole.CONSENT_SOURCE: {
        "en": "consent source, opt in source, source of consent, consent method",
        "de": "einwilligungsquelle",
        "fr": "source du consentement",
        "es": "origen del consentimiento",
        "pt": "origem do consentimento",
        "it": "fonte del consenso",
        "nl": "bron toestemming",
        "pl": "źródło zgody",
    },
    ColumnRole.EXTERNAL_ID: {
        "en": "external id, contact id, record id, crm id, lead id, customer id,"
        " client id, id, record id contact, person id, hubspot id",
        "de": "kundennummer, kontakt id, datensatz id",
        "fr": "id du contact, numéro client",
        "es": "id de contacto, id de registro",
        "pt": "id do contato, id do registro",
        "it": "id contatto, codice cliente",
        "nl": "klantnummer, contact id",
        "pl": "id kontaktu, numer klienta",
    },
}

_PHONES: tuple[dict[str, str], ...] = (
    {"any": "phone"},
    {
        "en": "phone number, primary phone number, telephone, telephone number, tel,"
        " phone no, phone num,"
        " contact number, contact phone, contact no, main phone, person phone,"
        " customer phone, customer number, lead phone, full phone number, phone e164,"
        " contact phone number, primary phone, phone primary, phone main",
        "de": "telefon, telefonnummer, tel nr, rufnummer, telefonnr",
        "fr": "téléphone, numéro de téléphone, n de téléphone, n tél",
        "es": "teléfono, número de teléfono, número telefónico, telf",
        "pt": "telefone, número de telefone, número do telefone, fone",
        "it": "telefono, numero di telefono, numero telefono, recapito",
        "nl": "telefoon, telefoonnummer, telnr",
        "pl": "telefon, numer telefonu, nr telefonu, nr tel",
    },
    {
        "en": "mobile, mobile phone, cell, mobile number, mobile phone number, cell"
        " phone, cell number, cellphone, cell phone number, mobile no, mob, phone"
        " mobile, phone cell, person phone mobile, contact mobile",
        "de": "handy, handynummer, mobil, mobiltelefon, mobilnummer,"
        " mobiltelefonnummer, mobilfunknummer, mobilfunk, telefon mobil, tel mobil",
        "fr": "portable, mobile, téléphone portable, téléphone mobile, tél mobile,"
        " tél portable, numéro de téléphone mobile, numéro de portable",
        "es": "móvil, celular, teléfono móvil, teléfono celular, número de móvil,"
        " número de celular, número de teléfono móvil, tel móvil",
        "pt": "celular, telemóvel, telefone celular, número de celular,"
        " número do celular, telefone móvel, número de telemóvel",
        "it": "cellulare, numero cellulare, telefono cellulare, numero di cellulare,"
        " cell, telefono mobile, numero di telefono cellulare",
        "nl": "mobiel, mobiele telefoon, mobiel nummer, gsm, gsm nummer,"
        " mobiel telefoonnummer, telefoon mobiel, mobiele telefoonnummer",
        "pl": "komórka, telefon komórkowy, numer komórkowy, tel komórkowy, tel kom,"
        " numer telefonu komórkowego, nr telefonu komórkowego",
    },
    {
        "en": "work phone, business phone, office phone, direct phone, direct dial,"
        " work number, company phone, work phone number, direct line, phone work,"
        " work direct phone, corporate phone, phone business, person phone work,"
        " business phone number, office number, phone office",
        "de": "telefon geschäftlich, telefon dienstlich, geschäftlich, telefon firma,"
        " telefon büro, diensttelefon, geschäftstelefon",
        "fr": "téléphone professionnel, téléphone bureau, tél bureau, téléphone pro",
        "es": "teléfono del trabajo, teléfono de la empresa, teléfono de trabajo,"
        " teléfono de oficina",
        "pt": "telefone comercial, telefone do trabalho",
        "it": "telefono ufficio, telefono lavoro",
        "nl": "telefoon werk, zakelijke telefoon, telefoon zakelijk, werktelefoon",
        "pl": "telefon służbowy, telefon do pracy, telefon praca",
    },
    {
        "en": "home phone, home phone number, other phone, assistant phone,"
        " phone home, phone other, person phone home, person phone other, landline",
        "de": "telefon privat, telefon privatnummer, festnetz, festnetznummer",
        "fr": "téléphone domicile, téléphone fixe, tél fixe",
        "es": "teléfono de casa, teléfono fijo",
        "pt": "telefone residencial, telefone fixo",
        "it": "telefono casa, telefono fisso",
        "nl": "telefoon thuis, telefoon privé, vaste telefoon",
        "pl": "telefon domowy, telefon stacjonarny",
    },
    {"en": "whatsapp, whatsapp number, whatsapp phone"},
    {
        "en": "number, msisdn, e164",
        "de": "nummer",
        "fr": "numéro",
        "nl": "nummer",
        "pl": "numer",
    },
)
"""Groups in the order of preference; so are the names within each language."""

_NUMBERED = re.compile(r"(?P<stem>.+?)(?P<at>[0-9])(?:value|number)?")


@lru_cache(maxsize=4_096)
def column_key(name: str) -> str:
    """Return what a column's name is compared by: letters and digits only."""
    spelled = name.casefold().translate(_SPELLED)
    plain = unicodedata.normalize("NFKD", spelled)
    return "".join(filter(str.isalnum, plain))


def visible(name: str) -> str:
    """Trim a name, and take away byte order marks and other invisible characters."""
    return _INVISIBLE.sub("", name).strip()


def _keys(names: str) -> list[str]:
    return [column_key(name) for name in names.split(",")]


def _role_of() -> dict[str, tuple[ColumnRole, int]]:
    """Map each name to its role, and to its rank among the names of that role.

    A name that means different things in two languages has the role listed first.
    """
    known: dict[str, tuple[ColumnRole, int]] = {}
    phones = [names for group in _PHONES for names in group.values()]
    for role, groups in (
        (ColumnRole.PHONE, phones),
        *((role, list(names.values())) for role, names in _NAMES.items()),
    ):
        rank = 0
        for names in groups:
            for key in _keys(names):
                known.setdefault(key, (role, rank))
                rank += 1
    return known


_ROLE_OF = _role_of()
_REMARK = re.compile(
    r"""[ ]*[([] (?:required|mandatory|optional|(?:with|incl\.?|including)[ ]country[ ]
        code|pflichtfeld|erforderlich|obligatoire|obligatorio|obrigat\u00f3rio
        |obbligatorio|verplicht|wymagane) [)\]]\Z""",
    re.IGNORECASE | re.VERBOSE,
)
"""A remark of a form or template after a name: "Phone (required)"."""
_LAST_RANK = 1_000


@lru_cache(maxsize=4_096)
def role_of(name: str) -> tuple[ColumnRole, int] | None:
    """Return the role that a column of this name has, and its rank; None if unknown.

    Of several columns with one role, that of the lowest rank is preferred. A numbered
    phone column ("Phone 2", "Phone 1 - Value") comes after all others.
    """
    key = column_key(_REMARK.sub("", name.strip()))
    if found := _ROLE_OF.get(column_key(name)) or _ROLE_OF.get(key):
        return found
    numbered = _NUMBERED.fullmatch(key)
    if numbered is None:
        return None
    found = _ROLE_OF.get(numbered["stem"])
    if found is None or found[0] is not ColumnRole.PHONE:
        return None
    return ColumnRole.PHONE, _LAST_RANK * int(numbered["at"]) + found[1]
