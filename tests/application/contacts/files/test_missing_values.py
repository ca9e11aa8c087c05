"""Rows without a value for a variable that the assistant uses."""

from uuid import UUID

from application.contacts.files.assistant_fit import fit_of
from application.contacts.files.contact_file import ContactFile, ReadOptions
from application.contacts.files.findings import Findings
from application.contacts.files.missing_values import MissingValues
from application.contacts.files.uploads import Upload
from application.ports import CallTexts
from tests.wiring import NOON

PEOPLE = (
    "First Name,Last Name,Company,Phone,plan,plan\n"
    "Ada,Lee,Acme,202-555-0101,gold,x\n"
    "Bo,Ray,,202-555-0102, ,\n"
    "Cy,Fox,,202-555-0103,,y\n"
    "Di,Elm,,12,,\n"
    "Ed,,Shop,202-555-0104,gold,z\n"
)


def findings_of(text: str) -> Findings:
    with ContactFile(ReadOptions("US")) as file:
        file.feed(text.encode())
        list(file.finish())
        return file.findings()


def missing_in(text: str) -> dict[str, tuple[int, tuple[int, ...]]]:
    found = findings_of(text).missing
    return {one.variable: (one.rows, one.first) for one in found}


def test_accepted_rows_without_a_value_are_counted_by_variable() -> None:
    assert missing_in(PEOPLE) == {
        "business_name": (2, (3, 4)),
        "plan": (2, (3, 4)),
        "plan_2": (1, (3,)),
        "Last Name": (1, (6,)),
    }


def test_a_column_that_the_file_does_not_have_is_not_counted() -> None:
    assert missing_in("phone\n202-555-0101\n") == {}


def test_the_first_five_rows_are_named_of_many() -> None:
    rows = "".join(f"202-555-01{n:02},\n" for n in range(20))
    assert missing_in(f"phone,plan\n{rows}") == {"plan": (20, (2, 3, 4, 5, 6))}


def test_a_column_that_is_named_like_ours_is_the_one_that_counts() -> None:
    text = "Full Name,phone,business_name,Company\nAda,202-555-0101,,Acme\n"
    assert missing_in(text) == {"business_name": (1, (2,))}


def upload(*missing: MissingValues) -> Upload:
    found = findings_of(PEOPLE)
    return Upload(
        id=UUID(int=1),
        filename="people.csv",
        columns=found.columns,
        default_region="US",
        accepted=4,
        skipped_count=1,
        created_by="ann@example.com",
        created_at=NOON,
        expires_at=NOON,
        roles=found.roles,
        missing=missing or found.missing,
    )


def warnings(
    used: list[str], greeting: tuple[str, ...], prompt: tuple[str, ...]
) -> list[str]:
    return fit_of(upload(), used, CallTexts("", "", {}, greeting, prompt)).warnings


def test_a_warning_counts_the_rows_and_names_the_first() -> None:
    assert warnings(["business_name", "plan_2"], ("business_name",), ("plan_2",)) == [
        (
            "2 rows have no value for business_name, which the assistant uses in its"
            " first message: rows 3 and 4."
        ),
        "1 row has no value for plan_2, which the assistant uses in its prompt: row 3.",
    ]


def test_a_variable_that_the_assistant_does_not_say_gives_no_warning() -> None:
    assert warnings(["plan"], (), ()) == []
    assert warnings([], ("plan",), ("plan",)) == []


def test_a_variable_without_a_column_is_a_warning_of_its_own() -> None:
    assert warnings(["name", "city", "First Name"], ("city",), ()) == [
        (
            "The assistant uses city, which the file lacks: add a column of that name,"
            " or change the assistant."
        )
    ]


def test_many_rows_are_named_by_example() -> None:
    many = MissingValues("plan", 1_200, (3, 4, 5, 6, 7))
    fit = fit_of(upload(many), ["plan"], CallTexts("", "", {}, ("plan",)))
    assert fit.warnings == [
        (
            "1,200 rows have no value for plan, which the assistant uses in its first"
            " message: for example rows 3, 4, 5, 6 and 7."
        )
    ]
