"""Practice networks: stand-ins for the outside world that speak the real protocols on loopback.

A program of its own (`python -m practice`). It shares no code with the product: a mistake in an adapter can only be
noticed by a counterpart that was written separately, from the standards and the vendors' documents.
"""
