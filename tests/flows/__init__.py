"""What people do, through the whole product. A package, so that what is shared ends with its last test."""
