"""The table of `docs/mapping.md`: what each domain can say and what it does, taken from the code."""
