"""The topics that a device owns, those it is subscribed to implicitly, and the matching of filters."""

from collections.abc import Iterable
import re

IMPLICIT = (
    "thing/model/down_raw",
    "thing/model/up_raw_reply",
    "thing/event/+/post_reply",
    "thing/event/property/history/post_reply",
    "thing/deviceinfo/update_reply",
    "thing/deviceinfo/delete_reply",
    "thing/dynamicTsl/get_reply",
    "thing/dsltemplate/get_reply",
    "rrpc/request/+",
    "thing/service/property/set",
    "thing/service/property/get",
    "thing/service/+",
    "thing/gateway/permit",
    "thing/topo/change",
    "thing/sub/register_reply",
    "thing/sub/unregister_reply",
    "thing/topo/add_reply",
    "thing/topo/delete_reply",
    "thing/topo/get_reply",
    "thing/disable_reply",
    "thing/config/push",
    "thing/config/get_reply",
    "thing/config/log/push",
    "thing/config/log/get_reply",
    "thing/property/desired/get_reply",
    "thing/property/desired/delete_reply",
    "thing/reset",
    "thing/reset_reply",
    "thing/proxy/provisioning/product_register_reply",
    "thing/bootstrap/config/push",
    "thing/bootstrap/notify",
    "thing/job/notify",
    "thing/job/get_reply",
    "thing/job/update_reply",
    "thing/ota/firmware/get_reply",
    "thing/lan/prefix/get_reply",
    "thing/lan/prefix/update",
    "thing/lan/blacklist/update_reply",
    "thing/cipher/get_reply",
    "_thing/event/notify",
    "_thing/service/post_reply",
    "broadcast/request/+",
)
"""Below /sys/{pk}/{dn}/: docs/protocol.md §0.5. The reply to a batch post is not among them."""


class DeviceTopics:
    """The topics of one device, by product key and device name."""

    def __init__(self, product_key: str, device_name: str) -> None:
        """Compile the patterns."""
        pair = f"{product_key}/{device_name}"
        self.system = f"/sys/{pair}/"
        self.users = f"/{pair}/user/"
        self.ntp_request = f"/ext/ntp/{pair}/request"
        self.ntp_response = f"/ext/ntp/{pair}/response"
        self._long_rrpc = re.compile(rf"/ext/rrpc/([^/+#]+)(/(?:sys/)?{re.escape(pair)}/.+)")
        self._own = re.compile(
            rf"/(sys/)?{re.escape(pair)}/.+"
            rf"|/ext/rrpc/[^/#]+/(sys/)?{re.escape(pair)}/.+"
            rf"|/ext/(ntp|error|session)/{re.escape(pair)}(/.+)?"
            rf"|/shadow/(get|update)/{re.escape(pair)}"
            rf"|/ota/device/[a-z]+/{re.escape(pair)}"
            rf"|/broadcast/{re.escape(product_key)}/.+"
        )
        self._pair = pair

    def owns(self, topic: str) -> bool:
        """Return whether a topic or a filter belongs to this device only."""
        return self._own.fullmatch(topic) is not None

    def service(self, identifier: str) -> str:
        """Return the downlink topic of an asynchronous service (§6.3)."""
        return f"{self.system}thing/service/{identifier}"

    def rrpc_request(self, message_id: str) -> str:
        """Return the system topic of an RRPC (§6.4)."""
        return f"{self.system}rrpc/request/{message_id}"

    def long_rrpc(self, message_id: str, topic: str) -> str:
        """Return the long topic of an RRPC; the device answers on the same (§6.4, §6.5)."""
        return f"/ext/rrpc/{message_id}{topic}"

    def long_rrpc_id(self, topic: str) -> str | None:
        """Return the message id of a long RRPC topic of this device, None for other topics."""
        match = self._long_rrpc.fullmatch(topic)
        return match[1] if match else None

    def implicit_filters(self, *, long_rrpc: bool) -> list[str]:
        """Return the filters that the platform subscribes to for a device whose client id has `_ss=1` (§0.5)."""
        filters = [self.system + suffix for suffix in IMPLICIT]
        filters += [
            f"/shadow/get/{self._pair}",
            f"/ota/device/upgrade/{self._pair}",
            f"/ota/device/request/{self._pair}",
        ]
        filters += [f"/ext/session/{self._pair}/combine/+"]
        if long_rrpc:
            filters += [f"/ext/rrpc/+{self.system}thing/service/+", f"/ext/rrpc/+{self.system}thing/model/down_raw"]
        return filters


def is_wildcard(topic_filter: str) -> bool:
    """Return whether a filter can match more than one topic."""
    return "+" in topic_filter or "#" in topic_filter


def without_rrpc_id(topic_filter: str) -> str:
    """Return a filter without the message id of an RRPC, which can only be subscribed to with a wildcard."""
    return topic_filter.replace("/ext/rrpc/+", "/ext/rrpc").replace("/rrpc/request/+", "/rrpc/request")


def is_valid_filter(topic_filter: str) -> bool:
    """Return whether each wildcard is a level of its own, and `#` is only the last level."""
    levels = topic_filter.split("/")
    return all(not is_wildcard(level) or level == "+" or (level == "#" and last) for level, last in _with_last(levels))


def _with_last(levels: list[str]) -> Iterable[tuple[str, bool]]:
    return ((level, number == len(levels)) for number, level in enumerate(levels, 1))


class Subscriptions:
    """The implicit and explicit subscriptions of one connection."""

    def __init__(self, implicit: Iterable[str] = ()) -> None:
        """Start with the filters that the platform subscribes to; they are not counted as subscriptions of the device."""
        self._implicit = set(implicit)
        self._explicit: set[str] = set()
        self._index()

    def __len__(self) -> int:
        """Return the number of explicit subscriptions."""
        return len(self._explicit)

    def __contains__(self, topic_filter: str) -> bool:
        """Return whether the device itself has subscribed to exactly this filter."""
        return topic_filter in self._explicit

    def add(self, topic_filter: str) -> None:
        """Subscribe."""
        self._explicit.add(topic_filter)
        self._index()

    def discard(self, topic_filter: str) -> None:
        """Unsubscribe, also from an implicit subscription."""
        self._explicit.discard(topic_filter)
        self._implicit.discard(topic_filter)
        self._index()

    def match(self, topic: str) -> bool:
        """Return whether at least one filter matches the topic."""
        return topic in self._exact or (self._pattern is not None and self._pattern.fullmatch(topic) is not None)

    def _index(self) -> None:
        filters = self._implicit | self._explicit
        self._exact = {topic_filter for topic_filter in filters if not is_wildcard(topic_filter)}
        patterns = [_pattern(topic_filter) for topic_filter in filters - self._exact]
        self._pattern = re.compile("|".join(patterns)) if patterns else None


def _pattern(topic_filter: str) -> str:
    if topic_filter.endswith("/#"):
        return _pattern(topic_filter[:-2]) + "(?:/.*)?"
    return re.escape(topic_filter).replace(r"\+", "[^/]*").replace(r"\#", ".*")
