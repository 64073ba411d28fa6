"""The thing model: its data types, its documents and their errors, and the difference between two models."""
