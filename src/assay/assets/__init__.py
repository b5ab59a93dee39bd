"""Models and datasets: where they come from, and the cache they are kept in.

Nouns: asset, manifest, source, catalogue, store. This room must not know what a model computes or which round asks
for it.
"""
