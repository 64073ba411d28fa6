"""Thing models made from bindings: data types, definitions and module files."""
