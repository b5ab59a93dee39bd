"""One module per kind of problem: dataset, preprocessing, response, accuracy.

Nouns: task, recipe, dataset, sample, response, accuracy. This room must not know engines, scenarios or where results
go.
"""
