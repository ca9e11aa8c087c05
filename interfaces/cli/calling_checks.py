"""Checks of `autolynx doctor` on what decides whether a number may be called."""

from datetime import date

from application.app import AutoLynx
from application.calling_rules.loader import load_rule_book
from application.configuration import Configuration, FirstSettings
from application.errors import BrokenRules
from domain.numbers.suppression_lists import SUPPRESSION_LISTS_ID, SuppressionLists
from domain.settings import SETTINGS_ID, Settings, stored_values
from domain.wording import counted
from interfaces.cli.findings import Finding, Found, Grade
from interfaces.cli.output import camel
from projections.registers.list_faults import list_faults
from storage.database import Conn


def of_rules(configuration: Configuration) -> Finding:
    """Check that the calling rules can be read on this machine."""
    try:
        book = load_rule_book(configuration.rule_folders)
    except BrokenRules as fault:
        message = (
            f"{fault}. While the calling rules are enforced, nobody is called until"
            " they can be read."
        )
        return Finding("calling rules", Grade.WRONG, message)
    message = f"{counted(len(book.rules), 'rule')}, version {book.version[:12]}."
    return Finding("calling rules", Grade.OK, message)


def of_settings(app: AutoLynx) -> Found:
    """Name each environment variable that a stored setting overrides."""
    stored = stored_values(app.find(Settings, SETTINGS_ID))
    for one in FirstSettings().ineffective(stored):
        message = (
            f"{one.variable} is {one.configured or 'empty'} without effect, because"
            f" settings were stored: {camel(one.setting)} is {one.stored or 'empty'}."
            " Change it with autolynx settings, or remove the variable."
        )
        yield Finding("settings", Grade.LOOK, message)


def of_lists(app: AutoLynx, conn: Conn, today: date) -> Finding:
    """Check that no suppression list is too old or incomplete."""
    lists = app.find(SuppressionLists, SUPPRESSION_LISTS_ID)
    faults = list_faults(conn, lists.versions.values() if lists else (), today)
    if faults:
        return Finding("suppression lists", Grade.WRONG, " ".join(faults))
    message = "all can be read, and none is too old."
    return Finding("suppression lists", Grade.OK, message)
