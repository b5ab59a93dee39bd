"""Inference engines behind one small protocol.

This room must not know tasks, rounds or LoadGen.
"""
