"""Rows out of what others publish: submission trees, CM repositories, ``summary.csv``, runs of LoadGen."""
