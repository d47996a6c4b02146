"""`burnish collect`: takes windows of sensors, OTLP and marks of deployments by HTTP, and answers for them.

    connection ─ protocol.py ─ app.py ─ body.py ──▶ queue.py ──▶ writer.py ──▶ depot.py ──▶ the store
                 time limits   routes,              bounded      one thread    many requests in one transaction
                               tokens               in bytes     intake.py: lines → windows
                                                                 signals.py, otlp/: OTLP → windows
                                                                 refused.py: what is kept though it was not taken

A request is answered when what it brought survives the death of the process, and not before.
"""

from burnish_tools.collector.settings import CollectorSettings

__all__ = ["CollectorSettings"]
