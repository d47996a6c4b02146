"""SQL as text from outside: normalised before it is stored, shown or sent.

`normalise` keeps the shape of a statement and no literal. What cannot be read with certainty is reduced to its verb.
"""

from burnish_tools.sql.normalise import normalise

__all__ = ["normalise"]
