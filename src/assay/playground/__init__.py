"""The playground: pages and an interface over results, challenges and contributors, on a desk or as a server.

Nouns: page, view, viewer, account, upload. It must not know campaigns, engines or tasks: what it shows are files that
others wrote.
"""
