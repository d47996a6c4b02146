"""Burnish: a background optimizer for Python services. Read `burnish/cycle.py` first."""

__version__ = "0.1.0"
