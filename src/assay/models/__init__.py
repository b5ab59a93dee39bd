"""ONNX graphs built from bare weights, and checkpoints read without running code.

This room must not know datasets, LoadGen or rounds.
"""
