"""Building a submission tree of runs: what is taken, what is missing, what is written."""
