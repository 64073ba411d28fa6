"""Entities as an integration would implement them: they carry out actions exactly."""
