"""Results as rows, records and reports.

This room must not know engines.
"""
