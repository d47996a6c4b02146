"""What recipes know of a repository: its modules, functions, Django models, loops and querysets, read statically.

Start with `repo.py` (files and modules) and `functions.py` (who calls whom); `models.py` maps tables to models,
`querysets.py` finds the query that feeds a loop, `follow.py` follows a loop's variable to where it is read, `edit.py`
makes the edits.
"""
