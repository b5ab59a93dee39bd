"""Accounts of a server: who may do what, remembered in a SQL database.

Nouns: account, token, session, invitation, membership, upload, audit entry, viewer. The only room that knows
SQLAlchemy. It must not know web requests: it gets texts and gives viewers.
"""
