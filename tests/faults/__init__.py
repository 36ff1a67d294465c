"""What dies, and what becomes of the rest. A package, so that what is shared ends with its last test."""
