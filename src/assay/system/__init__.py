"""The machine

This room must not know  what it is, in the official system-description fields.:benchmarks.
"""
