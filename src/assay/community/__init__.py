"""Taking part: challenges, leaderboards, contributors, reports, and the acceptance of results that are pushed.

Everything is read from CM repositories and written to the server's own as commits; this room knows nothing of the web.
"""
