"""What has become of all values since the device was set up."""

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    """Messages and values of one device.

    `merged` is what a newer value of the same property has replaced before it was sent, `retried` what was sent once more
    because nobody knows whether it arrived, and `dropped` the samples that a full buffer had no room for.
    """

    posts: int = 0
    sent: int = 0
    merged: int = 0
    rejected: int = 0
    retried: int = 0
    dropped: int = 0
