"""Runs inside the service's environment: standard library and Django only, Python 3.9 or newer, no import of Burnish.

The sandbox copies this folder beside the exported tree as the package `burnish_harness` and starts
`python -m burnish_harness JOB.json` there. Job and answer are JSON files.
"""
