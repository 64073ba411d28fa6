"""Stands in for pyspeex-noise."""


class AudioProcessor:
    """Would suppress noise."""
