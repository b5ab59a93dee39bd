"""ONNX graphs built from bare weights or a seed, small models trained here, and checkpoints read without running code.

This room must not know LoadGen or rounds, and of data no more than what a training recipe reads.
"""
