"""Proves an edit: tests, replayed requests compared, cost measured in interleaved fresh processes.

Start with `prover.py`. What a team may set is in `settings.py`.
"""
