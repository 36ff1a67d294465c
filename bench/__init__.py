"""`make bench`: what must be fast, measured against a floor, at 10,000 and 100,000 tickets."""
