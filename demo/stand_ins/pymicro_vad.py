"""A substitute for pymicro-vad."""


class MicroVad:
    """Detects speech in the real module."""
