"""Thing models generated from bindings: data types, definitions and module files."""
