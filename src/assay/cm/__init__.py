"""Repositories and artifacts in the Collective Mind (CM) format.

This room must not know what a result means.
"""
