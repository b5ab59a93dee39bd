"""Other people's harnesses: a YAML manifest says how one is run, and its LoadGen logs become a run like any other.

Nothing of theirs is imported: a harness is a program that is started, watched and ended.
"""
