"""Real entities, as an integration would write them: they do what they are told, and nothing more."""
