"""Time, made shorter: what the integration waits for in minutes takes seconds here.

An outage of ten minutes is one of `FACTOR` times less, and so are the pauses in which nobody expects anything. What a machine
needs to answer cannot be made shorter at will, so those patiences are only as short as a busy machine allows.
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
    "reports.sender.REPLY_TIMEOUT": 2.0,
    "reports.sender.RETRY_DELAY": 0.3,
    "reports.store.WRITE_DELAY": 60 / FACTOR,
}


@contextmanager
def compressed() -> Iterator[None]:
    """Let time be short as long as the context lasts; raises AttributeError where the integration has other names."""
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
