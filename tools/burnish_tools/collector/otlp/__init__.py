"""OpenTelemetry in: traces and metrics become windows, so that store and detectors know nothing of OTLP.

body ─decode─▶ message ─reading─▶ spans ─┬─▶ journal
                                         └─assembly─▶ trees ─tree, rows─▶ windows ─outbox─▶ store
       (metrics) ─points, streams, metrics──────────────────────────────────────────┘
"""
