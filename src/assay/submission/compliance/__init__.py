"""Compliance tests judged from the raw logs, whatever the verify files beside them say."""
