"""The mapping of a device as a document: read, written and compared."""
