"""One module per kind of problem

This room must not know  dataset, preprocessing, response, accuracy.:engines.
"""
