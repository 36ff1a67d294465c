"""The REST API under /api/v1/: one more way in, with the same rights and the same domain calls as the pages."""
