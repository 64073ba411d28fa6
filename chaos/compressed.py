"""Shorter times: the integration waits for seconds instead of minutes.

Outages and pauses are shorter by `FACTOR`. Time-outs for replies are only as short as a busy machine allows.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module

FACTOR = 60.0
"""A minute is a second."""

_PACKAGE = "custom_components.aliyun_iot"

_SECONDS: Mapping[str, float] = {
    "alink.mqtt.pacing.WINDOW": 60 / FACTOR,
    "alink.mqtt.pacing.FIRST_DELAY": 0.05,
    "alink.mqtt.pacing.LONGEST_DELAY": 60 / FACTOR,
    "alink.mqtt.pacing.REFUSED_DELAY": 900 / FACTOR,
    "alink.mqtt.pacing.SHORT_LIVED": 60 / FACTOR,
    "alink.mqtt.pacing.KICKED_DELAY": 300 / FACTOR,
    "alink.mqtt.pacing.LONGEST_KICKED_DELAY": 1800 / FACTOR,
    "alink.mqtt.liveness.PUBACK_PATIENCE": 1.0,
    "alink.mqtt.liveness.PING_PATIENCE": 1.0,
    "alink.mqtt.transport.HOUSEKEEPING": 0.1,
    "reports.resync.SNAPSHOT_TIMEOUT": 2.0,
    "reports.desired_values.RETRY_INTERVAL": 60 / FACTOR,
    "reports.desired_values.SETTLE_DELAY": 1.0,
    "reports.lanes.REPLY_TIMEOUT": 2.0,
    "reports.sender.RETRY_DELAY": 0.3,
    "reports.store.WRITE_DELAY": 60 / FACTOR,
}


@contextmanager
def compressed() -> Iterator[None]:
    """Shorten the times of the integration for the duration of the context; raises AttributeError if a constant has moved."""
    before = {}
    for name, seconds in _SECONDS.items():
        module_name, _, constant = name.rpartition(".")
        module = import_module(f"{_PACKAGE}.{module_name}")
        before[module, constant] = getattr(module, constant)
        setattr(module, constant, seconds)
    try:
        yield
    finally:
        for (module, constant), value in before.items():
            setattr(module, constant, value)
