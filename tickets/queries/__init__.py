"""Every read of a page is one function here; the number of its SQL statements is asserted in a test."""
