"""Burnish's own state in PostgreSQL, where several machines share it; without a URL it is in files.

Each configuration has a database (or a schema, by `?options=-csearch_path%3Dname`) of its own. Here are jobs, runs and
the lease of a cycle (`store.py`), the checkpoints of the graph (`checkpoints.py`) and what the model has cost
(`spending.py`). What stays on each machine are files that may be lost, clones and proofs, and the local forge, whose
desk is on the machine that opened the pull request.
"""
