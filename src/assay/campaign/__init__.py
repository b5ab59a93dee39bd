"""Plans and carries out what a command asks for, step by step.

This room must not know how anything is drawn.
"""
