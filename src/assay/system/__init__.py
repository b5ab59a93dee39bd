"""The machine: what it is, in the official system-description fields, and whether it is fit to measure on.

Nouns: ``Fact`` (a value and where it was read), ``SystemFacts``, ``Description`` (the official JSON with the
origin of every field), ``Problem``. This room must not know benchmarks, engines or LoadGen's files.
"""
