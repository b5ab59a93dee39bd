"""Submission trees: read, check, report, truncate and complete them.

Its nouns: tree, entry (system x benchmark x scenario), issue, finding, report. It knows files and the rules of a
round; it never loads an engine and never writes into a tree unless the user asked for exactly that.
"""
