"""Runs inside the service's environment: standard library and what the service has, Python 3.9 or newer, no Burnish.

`boot.py` is read first: a host speaks to the service (`host_django.py`, `host_asgi.py`, `host_wsgi.py`), a database
holds its transactions (`db_django.py`, `db_sqlalchemy.py`), and the modes `equality.py` and `cost.py` know neither.

The sandbox copies this folder beside the exported tree as the package `burnish_harness` and starts
`python -m burnish_harness JOB.json` there. Job and answer are JSON files.
"""
