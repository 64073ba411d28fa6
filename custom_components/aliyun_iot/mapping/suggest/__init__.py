"""Suggestions: which property an aspect of an entity probably stands for."""
