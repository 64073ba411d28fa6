"""Texts for users: names, previews, and descriptions of thing models and imports."""
