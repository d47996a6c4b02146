"""Reading plans and table facts from the service's database; nothing is ever written and no statement is executed."""

from burnish_tools.databases.connection import connect

__all__ = ["connect"]
