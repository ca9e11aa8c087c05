"""Numbers with their nouns, for messages to people."""


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """Return a number with its noun: "1 contact", "2,500 contacts".

    `plural` is needed for nouns whose plural is not `singular` with an s.
    """
    return f"{number:,} {noun(number, singular, plural)}"


def noun(number: int, singular: str, plural: str | None = None) -> str:
    """Return the form of a noun, or of a verb, that follows the number."""
    return singular if number == 1 else plural or f"{singular}s"
