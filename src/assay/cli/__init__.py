"""The command line

This room must not know  options in, tables and exit codes out.:how anything is computed.
"""
