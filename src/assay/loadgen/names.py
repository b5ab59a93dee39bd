"""Names of LoadGen's files."""

from __future__ import annotations

SUMMARY = "mlperf_log_summary.txt"
DETAIL = "mlperf_log_detail.txt"
ACCURACY = "mlperf_log_accuracy.json"
TRACE = "mlperf_log_trace.json"
LOG_FILES = (SUMMARY, DETAIL, ACCURACY, TRACE)
