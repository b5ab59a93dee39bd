"""What LoadGen reads and writes, and what it means; never imports the LoadGen binary.

This room must not know engines, datasets or the network.
"""
