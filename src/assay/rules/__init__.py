"""Rounds as data, and their typed reader.

This room must not know a benchmark engine, a file layout or a log.
"""
