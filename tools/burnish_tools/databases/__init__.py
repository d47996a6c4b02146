"""Reading plans and table facts from the service's database; nothing is ever written and no statement is executed.

What an index would change is tried by HypoPG, or on a copy (`trial.py`).
"""

from burnish_tools.databases.connection import connect

__all__ = ["connect"]
