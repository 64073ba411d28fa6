"""The thing model: data types, documents, comparison, and what can be wrong with one."""
