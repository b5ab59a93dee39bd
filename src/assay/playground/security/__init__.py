"""What stands between the network and the pages: limits, headers, forgery, hosts, logs, metrics, archives.

Nouns: request, viewer, limit, refusal. Middlewares are plain ASGI. It must not know what a page shows.
"""
