"""The command line: options in, tables and exit codes out.

A verb is a module, imported when it is used. This room must not know how anything is computed.
"""
