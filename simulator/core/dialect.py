"""The hosts that the simulator can play: how they differ from the platform (docs/protocol.md §19)."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a host differs from the platform."""

    sub_device_limit: int = 2000
    """Sub-devices of each gateway."""
    ignored: frozenset[str] = frozenset()
    """Topics without effect and reply, below `/sys/{pk}/{dn}/` or as patterns."""
    replies_on_demand: bool = False
    """Whether only requests with `"sys": {"ack": 1}` are replied to."""
    has_rrpc: bool = True
    """Whether synchronous services are called by RRPC; otherwise all are asynchronous."""
    subscribes: bool = True
    """Whether `_ss=1` has an effect."""
    text_events: bool = False
    """Whether the output of events consists of texts, which are not compared with the thing model."""


DIALECTS: Final = {
    "aliyun": Dialect(),
    "tuya": Dialect(sub_device_limit=1000),
    "other": Dialect(
        ignored=frozenset(
            {
                "thing/property/desired/get",
                "thing/property/desired/delete",
                "thing/dsltemplate/get",
                "thing/event/property/batch/post",
                "thing/event/property/history/post",
                "/ext/ntp/{pk}/{dn}/request",
            }
        ),
        replies_on_demand=True,
        has_rrpc=False,
        subscribes=False,
        text_events=True,
    ),
}
"""The platform itself, Tuya IoT Platform (Alibaba Cloud edition), and a host that speaks Alink in part, as SagooIoT does."""
