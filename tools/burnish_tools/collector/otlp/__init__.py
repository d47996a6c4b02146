"""OpenTelemetry in: traces and metrics become windows, so that store and detectors know nothing of OTLP.

body ─decode─▶ message ─reading─▶ spans ─┬─▶ journal
                                         └─assembly─▶ trees ─tree, rows─▶ windows ─outbox─▶ store
       (metrics) ─points, streams, metrics──────────────────────────────────────────┘
"""

from burnish_tools.collector.otlp.answer import Answer as Answer
from burnish_tools.collector.otlp.receiver import OtlpReceiver as OtlpReceiver
from burnish_tools.collector.otlp.settings import OtlpSettings as OtlpSettings
