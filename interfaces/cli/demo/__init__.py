"""`autolynx demo`: a real campaign from a file to its results, in a minute."""

from interfaces.cli.demo.command import FAILURES, add_to

__all__ = ["FAILURES", "add_to"]
