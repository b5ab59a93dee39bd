"""Models and datasets

This room must not know  where they come from, and the cache they are kept in.:what a model computes.
"""
