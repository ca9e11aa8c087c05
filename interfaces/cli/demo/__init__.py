"""`autolynx demo`: runs a campaign from a file to its results, in a minute."""

from interfaces.cli.demo.command import add_to

__all__ = ["add_to"]
