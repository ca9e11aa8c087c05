"""Columns are recognised by `map`, by their names, and by what they hold."""

import pytest

from application.contacts.files.column_names import ColumnRole, column_key, role_of
from application.contacts.files.columns import (
    InvalidMapping,
    find_phone_by_content,
    parse_overrides,
    recognise,
)
from application.contacts.phone_numbers import phone_reader

US = phone_reader("US")


def roles(*names: str, **overrides: str) -> list[str]:
    mapped = {name: ColumnRole(role) for name, role in overrides.items()}
    return [str(role) for role in recognise(names, mapped).roles]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("First Name", "Last Name", "Phone Number", "Company"), "FLPB"),
        (("first_name", "LAST-NAME", "phone number", "company_name"), "FLPB"),
        (("FirstName", "lastName", "PhoneNumber", "CompanyName"), "FLPB"),
        (("Full Name", "Organization", "Mobile"), "NBP"),
        (("Vorname", "Nachname", "Firma", "Telefonnummer"), "FLBP"),
        (("Name", "Unternehmen", "Handy"), "NBP"),
        (("Prénom", "Nom", "Entreprise", "Téléphone"), "FLBP"),
        (("PRENOM", "NOM", "SOCIETE", "TELEPHONE"), "FLBP"),
        (("Nombre", "Apellidos", "Empresa", "Teléfono"), "FLBP"),
        (("Nome", "Sobrenome", "Empresa", "Celular"), "FLBP"),
        (("Nome", "Cognome", "Azienda", "Cellulare"), "FLBP"),
        (("Voornaam", "Achternaam", "Bedrijf", "Telefoonnummer"), "FLBP"),
        (("Imię", "Nazwisko", "Nazwa firmy", "Numer telefonu"), "FLBP"),
        (("Naam", "Bedrijfsnaam", "Mobiel"), "NBP"),
        (("number", "name"), "PN"),
        (("Account Name", "Contact Name", "Tel."), "BNP"),
        (("\ufeffname", "\u200bbusiness_name", "phone"), "NBP"),
        (("Name", "First Name", "phone"), "NVP"),
        (("contact_id", "state", "Zip Code", "Time Zone", "phone"), "ISZTP"),
        (("Record ID", "Consent At", "consent source", "country", "phone"), "IAOCP"),
        (("E-mail", "Plan", "Fax", "phone"), "VVVP"),
        (("OPTIN_TIME", "Opt-in date", "phone"), "VAP"),
        (("Telephone 1", "Telephone 2"), "PV"),
    ],
)
def test_names_are_recognised_in_any_language_and_spelling(
    names: tuple[str, ...], expected: str
) -> None:
    letters = {
        "F": "FIRST_NAME",
        "L": "LAST_NAME",
        "P": "PHONE",
        "B": "BUSINESS_NAME",
        "N": "NAME",
        "V": "VARIABLE",
        "I": "EXTERNAL_ID",
        "S": "SUBDIVISION",
        "Z": "POSTAL_CODE",
        "T": "TIME_ZONE",
        "A": "CONSENT_AT",
        "O": "CONSENT_SOURCE",
        "C": "COUNTRY",
    }
    assert roles(*names) == [letters[letter] for letter in expected]


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (("Mobile", "phone"), "phone"),
        (("Phone 2", "Mobile", "Phone Number"), "Phone Number"),
        (("Home Phone", "Work Phone"), "Work Phone"),
        (("number", "cell"), "cell"),
        (("Phone 2", "Phone 1"), "Phone 1"),
        (("Phone 1 - Value", "Mobile"), "Mobile"),
    ],
)
def test_of_several_phone_columns_one_is_chosen_in_a_fixed_order(
    names: tuple[str, ...], chosen: str
) -> None:
    found = recognise(names, {})
    at = found.at(ColumnRole.PHONE)
    assert at is not None
    assert names[at] == chosen
    [note] = found.notes
    assert note.startswith(f'The phone numbers are those of the column "{chosen}".')
    assert all(f'"{name}"' in note for name in names)


def test_a_mapped_column_has_its_role_and_takes_it_from_the_others() -> None:
    assert roles("name", "phone", "Handy", Handy="PHONE") == [
        "NAME",
        "VARIABLE",
        "PHONE",
    ]
    assert roles("name", "phone", "x", x="NAME") == ["VARIABLE", "PHONE", "NAME"]
    assert roles("name", "phone", name="IGNORED") == ["IGNORED", "PHONE"]


def test_mapped_first_and_last_names_are_kept_beside_a_name() -> None:
    found = roles("name", "Rufname", "phone", Rufname="FIRST_NAME")
    assert found == ["NAME", "FIRST_NAME", "PHONE"]


def test_a_mapping_is_read_from_text() -> None:
    texts = ["a=b=phone", " Plan = VARIABLE"]
    assert parse_overrides(texts) == {"a=b": "PHONE", "Plan": "VARIABLE"}


@pytest.mark.parametrize(
    "texts", [["x"], ["=PHONE"], ["x="], ["x=LINE"], ["x=PHONE", "y=PHONE"]]
)
def test_a_mapping_without_a_known_role_is_refused(texts: list[str]) -> None:
    with pytest.raises(InvalidMapping):
        parse_overrides(texts)


def test_a_mapping_of_an_unknown_or_repeated_column_is_refused() -> None:
    with pytest.raises(InvalidMapping, match="the columns are"):
        roles("name", "phone", handy="PHONE")
    with pytest.raises(InvalidMapping, match="rename one"):
        roles("tel", "Tel", tel="PHONE")


NUMBERS = [["Ada", "202-555-0101", "12"], ["Bo", "2025550102", "7"], ["Cy", "", "1"]]


def test_a_phone_column_without_a_known_name_is_found_by_its_cells() -> None:
    found = find_phone_by_content(recognise(("who", "reach", "age"), {}), NUMBERS, US)
    assert found.at(ColumnRole.PHONE) == 1
    assert '"reach" was taken' in found.notes[0]


@pytest.mark.parametrize(
    "rows",
    [
        [["202-555-0101", "202-555-0102"]],
        [["a", "b"], ["c", "d"]],
        [["", ""]],
        [],
        [["2025550101", "x"], ["x", "x"]],
    ],
)
def test_a_phone_column_is_not_guessed_among_several_or_none(
    rows: list[list[str]],
) -> None:
    found = find_phone_by_content(recognise(("who", "reach"), {}), rows, US)
    assert found.at(ColumnRole.PHONE) is None


def test_names_differ_only_in_letters_and_digits() -> None:
    assert column_key(" First-Name_ (1) ") == column_key("FIRSTNAME1")
    assert column_key("Imię") == column_key("imie")
    assert column_key("Straße") == column_key("STRASSE")
    assert role_of("Telefon-Nr.") == role_of("telefonnr")
