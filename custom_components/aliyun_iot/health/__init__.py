"""What may be wrong with a device and its connection, reported as repair issues."""
