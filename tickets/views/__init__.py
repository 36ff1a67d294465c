"""The inbox's pages and acts. Each view: parse, one domain call, translate the result."""
