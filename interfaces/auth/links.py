"""The address of the page that a sign-in link opens."""


def sign_in_address(own_url: str, secret: str) -> str:
    """Return the address of a sign-in link.

    The secret follows the #, so that browsers do not send it and no log contains it.
    """
    return f"{own_url}/sign-in#token={secret}"
