"""The X network: API v2 with OAuth 2.0, and the phone on which one is an X user."""
