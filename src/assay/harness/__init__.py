"""Drives a model with the real LoadGen; the only owner of the LoadGen binary.

This room must not know where results are kept or shown.
"""
