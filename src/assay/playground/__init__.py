"""The playground: explore, compare, challenge and reproduce results in the browser.

Nouns: index (what there is to see, for whom), page (a model that is shown as HTML and as JSON at the same address), view
(what an address asks for). It reads files, repositories and the index; it never calls an engine, and runs nothing.
"""
