"""The tables of `docs/mapping.md`: the aspects of each domain and their actions, generated from the code."""
