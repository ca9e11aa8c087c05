"""A phone cell is a phone number and nothing else: how each kind of cell is read."""

import pytest

from application.contacts.phone_cell import LONGEST_CELL, InvalidPhone
from application.contacts.phone_numbers import phone_reader, with_extension

INDIAN_MOBILES = ("8161973069", "9698935572", "6077777868", "9427424008")


@pytest.mark.parametrize(
    ("region", "cell", "number"),
    [
        ("US", "2025550145", "+12025550145"),
        ("US", "(202) 555-0145", "+12025550145"),
        ("US", "1 (202) 555-0145", "+12025550145"),
        ("US", "(+1) 202-555-0145", "+12025550145"),
        ("US", "+1(202)555-0145", "+12025550145"),
        ("US", "202.555.0145", "+12025550145"),
        ("US", "202/555-0145", "+12025550145"),
        ("US", "-2025550145", "+12025550145"),
        ("US", "+1.2025550145", "+12025550145"),
        ("US", "876-555-0123", "+18765550123"),
        ("US", "800-555-0199", "+18005550199"),
        # Dashes and spaces of every kind.
        ("US", "(202)\u00a0555\u20110145", "+12025550145"),
        ("US", "202\u2013555\u22120145", "+12025550145"),
        ("US", "202\u2009555\u3000\uff0d0145", "+12025550145"),
        ("JP", "03\u30fc1234\u30fc5678", "+81312345678"),
        # Digits of every script, full-width forms.
        (
            "US",
            "\uff0b\uff11\uff12\uff10\uff12\uff15\uff15\uff15\uff10149",
            "+12025550149",
        ),
        (
            "US",
            "\u0662\u0660\u0662\u0665\u0665\u0665\u0660\u0661\u0664\u0665",
            "+12025550145",
        ),
        ("IN", "\u096f\u096e765 43210", "+919876543210"),
        # Invisible characters.
        ("US", "\u202a+12025550150\u202c", "+12025550150"),
        ("US", "\u200b2025550160", "+12025550160"),
        ("US", "\ufeff202\u00ad5550161\u200f", "+12025550161"),
        # A region's own prefixes, and the trunk zero beside a country code.
        ("GB", "020 7946 0958", "+442079460958"),
        ("GB", "0044 20 7946 0958", "+442079460958"),
        ("US", "011 44 20 7946 0959", "+442079460959"),
        ("US", "+44 (0)20 7946 0958", "+442079460958"),
        ("DE", "030/1234567", "+49301234567"),
        ("RU", "8 (495) 123-45-67", "+74951234567"),
        ("AR", "0343 15 555 1212", "+5493435551212"),
        ("IT", "06 698 12345", "+390669812345"),
        ("IT", "+39 06 698 12345", "+390669812345"),
        ("FR", "01.23.45.67.00", "+33123456700"),
        ("DK", "20 20 12 03", "+4520201203"),
        # What spreadsheets and links add.
        ("US", "'2025550145", "+12025550145"),
        ("US", "'+12025550145", "+12025550145"),
        ("US", '="2025550165" ', "+12025550165"),
        ("US", "tel:+12025550151", "+12025550151"),
        ("US", "whatsapp:+12025550172", "+12025550172"),
        ("US", "Mobile: 202-555-0158", "+12025550158"),
        ("US", "Tel. 202-555-0158", "+12025550158"),
        ("US", "TEL.: 202-555-0158", "+12025550158"),
        ("US", "Cell phone 202-555-0158", "+12025550158"),
        ("US", "+12025550182", "+12025550182"),
        ("US", "+4915123456789", "+4915123456789"),
        *(("IN", mobile, f"+91{mobile}") for mobile in INDIAN_MOBILES),
        # Read in the wrong region some are valid numbers of somebody else.
        ("US", "6077777868", "+16077777868"),
    ],
)
def test_a_number_is_read_however_it_is_written(
    region: str, cell: str, number: str
) -> None:
    assert phone_reader(region)(cell) == (number, None)


@pytest.mark.parametrize(
    ("cell", "extension"),
    [
        ("(202) 555-0140 ext. 101", "101"),
        ("(202) 555-0140 ext. 102", "102"),
        ("202-555-0140 x103", "103"),
        ("2025550140x0012", "0012"),
        ("202.555.0140 #104", "104"),
        ("+1 202 555 0140;ext=105", "105"),
        ("2025550140;ext=9", "9"),
        ("202-555-0140,,106", "106"),
        ("2025550140,,123#", "123"),
        ("202-555-0140 Extension: 7", "7"),
        ("202-555-0140 (ext. 7)", "7"),
        ("Tel. 202-555-0140 EXT 7", "7"),
        ("202-555-0140 \u0434\u043e\u0431. 7", "7"),
        ("202-555-0140 ext. \u0661\u0660", "10"),
        ("\uff12\uff10\uff12-555-0140 \uff58\uff17", "7"),
        ("tel:+1-202-555-0140;ext=1234567890", "1234567890"),
    ],
)
def test_an_extension_is_kept(cell: str, extension: str) -> None:
    assert phone_reader("US")(cell) == ("+12025550140", extension)


OTHER_TEXT = "beside the number"
SEVERAL = "holds more than one number"
MASKED = "hides some of the digits"
DECIMAL = "is a decimal number: format the column as text"
SHORTENED = "A spreadsheet shortened this number"
NOT_VALID = "is not a valid phone number"


@pytest.mark.parametrize(
    ("region", "cell", "message"),
    [
        # Other words.
        ("US", "DO NOT CALL 202-555-0101", '"DO NOT CALL" beside the number'),
        ("US", "DNC - 202-555-0102", '"DNC" beside the number'),
        ("US", "WRONG NUMBER 202-555-0103", OTHER_TEXT),
        ("US", "old: 202-555-0104", OTHER_TEXT),
        ("US", "Fax: 202-555-0105", OTHER_TEXT),
        ("US", "202-555-0106 DO NOT CALL", OTHER_TEXT),
        ("US", "202-555-0107 (wrong number)", OTHER_TEXT),
        ("US", "2025550159 (cell)", OTHER_TEXT),
        ("US", "Wife 202-555-0120", OTHER_TEXT),
        ("US", "deceased 202-555-0121", OTHER_TEXT),
        ("SE", "070 123 45 67 (Axel)", OTHER_TEXT),
        ("IN", "+917878787xyz", OTHER_TEXT),
        ("US", "202-555-0144 option 2", '"option" beside the number'),
        ("US", "1-800-FLOWERS", OTHER_TEXT),
        ("US", "N/A", "holds no phone number"),
        ("US", "unknown", "holds no phone number"),
        ("US", "\u200b", "holds no phone number"),
        # What is not a telephone number at all.
        ("US", "ann2025550122@example.com", OTHER_TEXT),
        ("US", "https://example.com/2025550123", OTHER_TEXT),
        ("US", "https://wa.me/12025550173", OTHER_TEXT),
        ("US", "callto:+12025550173", OTHER_TEXT),
        ("US", "ID#2025550124", OTHER_TEXT),
        ("US", "$2025550126", OTHER_TEXT),
        ("US", "0x78BC4A0E", OTHER_TEXT),
        ("US", "=2025550126", OTHER_TEXT),
        ("US", "2,025,550,126", OTHER_TEXT),
        ("US", "202\u00b25550126", OTHER_TEXT),
        ("US", "2020-12-03", "is a date"),
        ("DK", "2020-12-03", "is a date"),
        ("DK", "31.12.2020", "is a date"),
        # Several numbers.
        ("US", "+1 202-555-0108 ::: +1 202-555-0109", SEVERAL),
        ("US", "Home: 202-555-0110 Work: 202-555-0111", SEVERAL),
        ("US", "202-555-0112, 202-555-0113", SEVERAL),
        ("US", "202-555-0114;202-555-0115", SEVERAL),
        ("US", "202-555-0116\n202-555-0117", SEVERAL),
        ("US", "202-555-0118 & 202-555-0119", SEVERAL),
        ("US", "2025550152 / 2025550153", SEVERAL),
        ("US", "2025550154; 2025550155", SEVERAL),
        ("US", "2025550156 or 2025550157", SEVERAL),
        ("DE", "030 1234567/68", SEVERAL),
        ("US", "2025550156 2025550157", "too many digits"),
        ("US", "202-555-0140 ext. 101/102", OTHER_TEXT),
        ("US", "202-555\n0140", "line break"),
        # Hidden digits.
        ("US", "xxx-xxx-0125", MASKED),
        ("US", "202-555-XXXX", MASKED),
        ("US", "202-555-012x", MASKED),
        ("US", "(202) 555-01**", MASKED),
        ("FR", "+33 6 6X XX XX 83", MASKED),
        ("IN", "+91 98765 XXXXX", MASKED),
        # What spreadsheets and programs make of numbers.
        ("US", "2.03E+09", SHORTENED),
        ("US", "2,03E+09", SHORTENED),
        ("US", "2.025550144E9", SHORTENED),
        ("IN", "9.87654321E9", SHORTENED),
        ("IN", "9.81234567e9", SHORTENED),
        ("US", "+12025550142.0", DECIMAL),
        ("US", "2025550143.0", DECIMAL),
        ("US", "2025550143,0", DECIMAL),
        ("US", "2025550.143", DECIMAL),
        ("US", "2.025550143", DECIMAL),
        ("US", "202-555-0143.0", DECIMAL),
        ("DE", "301234567.0", DECIMAL),
        ("FR", "1.23456789.0", DECIMAL),
        # Signs that belong to no number, or not there.
        ("US", "202~555~0168", OTHER_TEXT),
        ("US", "*67 2025550169", OTHER_TEXT),
        ("US", "202-555-0140,106", OTHER_TEXT),
        ("US", "1+2025550162", "misplaced +"),
        ("US", "++12025550163", "misplaced +"),
        ("US", "+12025550163+", "misplaced +"),
        ("GB", "+0044 20 7946 0960", "has + before a 0"),
        ("US", "202-555-0140 ext. 12345678901", "longer extension"),
        ("US", "0" * (LONGEST_CELL + 1), "characters"),
        # No such number.
        ("US", "12345", f"{NOT_VALID} in region US"),
        ("US", "911", NOT_VALID),
        ("US", "00 44", NOT_VALID),
        ("US", "0044 20 7946 0958", NOT_VALID),
        ("US", "0012025550148", NOT_VALID),
        ("US", "9698935572", NOT_VALID),
        ("US", "+2105552671", f"{NOT_VALID}: check the country code"),
        ("US", "+447700900101", f"{NOT_VALID}: check the country code"),
        ("ZZ", "2025550142", NOT_VALID),
    ],
)
def test_any_other_text_makes_the_cell_invalid_with_a_reason(
    region: str, cell: str, message: str
) -> None:
    read = phone_reader(region)(cell)
    assert isinstance(read, InvalidPhone)
    assert message in read.message


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("900-555-0100", "premium-rate"),
        ("+44 909 879 0000", "premium-rate"),
        ("+49 900 1 234567", "premium-rate"),
        ("+979123456789", "premium-rate"),
        ("+49 180 5 123456", "shared-cost"),
        ("+80812345678", "shared-cost"),
        ("+44 345 123 4567", "universal access"),
        ("+49 16 412345", "pager"),
        ("+881612345678", "satellite"),
        ("+870772001234", "satellite"),
        ("+8821612345678", "satellite"),
    ],
)
def test_numbers_of_kinds_that_are_not_called_need_an_upload_of_any_kind(
    cell: str, kind: str
) -> None:
    refused = phone_reader("US")(cell)
    assert isinstance(refused, InvalidPhone)
    assert kind in refused.message
    assert "kinds=any" in refused.message
    accepted = phone_reader("US", any_kind=True)(cell)
    assert not isinstance(accepted, InvalidPhone)


def test_a_number_written_with_its_extension_is_read_back() -> None:
    text = with_extension("+12025550140", "0101")
    assert phone_reader("DE")(text) == ("+12025550140", "0101")
    assert with_extension("+12025550140", None) == "+12025550140"
