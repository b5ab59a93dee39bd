"""Things with no MLPerf in them: files, locks, units, settings, plugins, progress.

Every other room may import from here; nothing here knows what a benchmark is.
"""
