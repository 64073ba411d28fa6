"""Stands in for pymicro-vad."""


class MicroVad:
    """Would detect speech."""
