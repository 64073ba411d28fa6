"""Shorter times: the integration waits for seconds instead of minutes.

Outages and pauses are shorter by `FACTOR`. Time-outs for replies are only as short as a busy machine allows.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from unittest.mock import patch

from custom_components.aliyun_iot.alink import sub_device

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
    "alink.gateway_requests.REPLY_TIMEOUT": 2.0,
    "alink.gateway.RECONNECT_SPREAD": 0.1,
    "alink.gateway.FIRST_PAUSE": 0.3,
    "alink.gateway.LONGEST_PAUSE": 60 / FACTOR,
    "alink.sub_device.SESSION_LOST_DELAY": 0.2,
    "alink.sub_device.LONGEST_SESSION_LOST_DELAY": 300 / FACTOR,
    "alink.sub_device.SHORT_LIVED": 60 / FACTOR,
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
    pauses = {
        error: replace(behaviour, first=behaviour.first / FACTOR, longest=behaviour.longest / FACTOR)
        for error, behaviour in sub_device.BEHAVIOUR.items()
    }
    with ExitStack() as stack:
        for name, seconds in _SECONDS.items():
            stack.enter_context(patch(f"{_PACKAGE}.{name}", seconds))
        stack.enter_context(patch.object(sub_device, "BEHAVIOUR", pauses))
        yield
