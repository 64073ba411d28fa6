"""The topics of the platform: whose they are, which a device is subscribed to implicitly, and the matching of filters."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

TOPIC_BYTES = 128
USER_TOPIC_SLASHES = 7
SYSTEM_ROOTS = {"sys", "ext", "shadow", "ota", "broadcast"}
"""First levels that are not product keys."""

IMPLICIT = (
    "/sys/{pk}/{dn}/thing/model/down_raw",
    "/sys/{pk}/{dn}/thing/model/up_raw_reply",
    "/sys/{pk}/{dn}/thing/event/+/post_reply",
    "/sys/{pk}/{dn}/thing/event/property/history/post_reply",
    "/sys/{pk}/{dn}/thing/deviceinfo/update_reply",
    "/sys/{pk}/{dn}/thing/deviceinfo/delete_reply",
    "/sys/{pk}/{dn}/thing/dynamicTsl/get_reply",
    "/sys/{pk}/{dn}/thing/dsltemplate/get_reply",
    "/sys/{pk}/{dn}/rrpc/request/+",
    "/sys/{pk}/{dn}/thing/service/property/set",
    "/sys/{pk}/{dn}/thing/service/property/get",
    "/sys/{pk}/{dn}/thing/service/+",
    "/sys/{pk}/{dn}/thing/gateway/permit",
    "/sys/{pk}/{dn}/thing/topo/change",
    "/sys/{pk}/{dn}/thing/sub/register_reply",
    "/sys/{pk}/{dn}/thing/sub/unregister_reply",
    "/sys/{pk}/{dn}/thing/topo/add_reply",
    "/sys/{pk}/{dn}/thing/topo/delete_reply",
    "/sys/{pk}/{dn}/thing/topo/get_reply",
    "/sys/{pk}/{dn}/thing/list/found_reply",
    "/sys/{pk}/{dn}/thing/disable_reply",
    "/sys/{pk}/{dn}/thing/config/push",
    "/sys/{pk}/{dn}/thing/config/get_reply",
    "/sys/{pk}/{dn}/thing/config/log/push",
    "/sys/{pk}/{dn}/thing/config/log/get_reply",
    "/sys/{pk}/{dn}/thing/property/desired/get_reply",
    "/sys/{pk}/{dn}/thing/property/desired/delete_reply",
    "/sys/{pk}/{dn}/thing/reset",
    "/sys/{pk}/{dn}/thing/reset_reply",
    "/sys/{pk}/{dn}/thing/proxy/provisioning/product_register_reply",
    "/sys/{pk}/{dn}/thing/bootstrap/config/push",
    "/sys/{pk}/{dn}/thing/bootstrap/notify",
    "/sys/{pk}/{dn}/thing/job/notify",
    "/sys/{pk}/{dn}/thing/job/get_reply",
    "/sys/{pk}/{dn}/thing/job/update_reply",
    "/sys/{pk}/{dn}/thing/ota/firmware/get_reply",
    "/sys/{pk}/{dn}/thing/lan/prefix/get_reply",
    "/sys/{pk}/{dn}/thing/lan/prefix/update",
    "/sys/{pk}/{dn}/thing/lan/blacklist/update_reply",
    "/sys/{pk}/{dn}/thing/cipher/get_reply",
    "/sys/{pk}/{dn}/thing/awss/#",
    "/sys/{pk}/{dn}/_thing/event/notify",
    "/sys/{pk}/{dn}/_thing/service/post_reply",
    "/sys/{pk}/{dn}/broadcast/request/+",
    "/shadow/get/{pk}/{dn}",
    "/ota/device/upgrade/{pk}/{dn}",
    "/ota/device/request/{pk}/{dn}",
    "/ext/session/{pk}/{dn}/combine/+",
    "/ext/ntp/{pk}/{dn}/response",
)
"""Filters for a device with `_ss=1` (docs/protocol.md §0.5, §16, §19). The reply to a batch post is not among them."""

IMPLICIT_LONG_RRPC = (
    "/ext/rrpc/+/sys/{pk}/{dn}/thing/service/+",
    "/ext/rrpc/+/sys/{pk}/{dn}/thing/model/down_raw",
)
"""Further filters if the client id also declares bit 0 of `ext`."""


@dataclass(frozen=True, slots=True)
class Address:
    """Whose topic or filter it is, and the same topic with `{pk}` and `{dn}` for the names."""

    product_key: str
    device_name: str
    """Empty for `/broadcast/{pk}/…`, which belongs to all devices of a product."""
    pattern: str
    rrpc_id: str = ""
    """The message id of a topic `/ext/rrpc/{message id}/…`."""


def parse_topic(topic: str) -> Address | None:
    """Return whose topic or filter it is, None if the platform knows no such topic."""
    match topic.split("/"):
        case ["", "sys", key, name, *path]:
            return _address(key, name, "/sys/{pk}/{dn}/", path)
        case ["", "ext", "rrpc", rrpc_id, "sys", key, name, *path] if rrpc_id and "#" not in rrpc_id:
            return _address(key, name, f"/ext/rrpc/{rrpc_id}/sys/{{pk}}/{{dn}}/", path, rrpc_id)
        case ["", "ext", "rrpc", rrpc_id, key, name, *path] if rrpc_id and "#" not in rrpc_id:
            return _address(key, name, f"/ext/rrpc/{rrpc_id}/{{pk}}/{{dn}}/", path, rrpc_id)
        case ["", "ext", ("ntp" | "session") as name_space, key, name, *path]:
            return _address(key, name, f"/ext/{name_space}/{{pk}}/{{dn}}/", path)
        case ["", "ext", "error", key, name]:
            return Address(key, name, "/ext/error/{pk}/{dn}")
        case ["", "shadow", ("get" | "update") as verb, key, name]:
            return Address(key, name, f"/shadow/{verb}/{{pk}}/{{dn}}")
        case ["", "ota", "device", verb, key, name] if verb.isalpha():
            return Address(key, name, f"/ota/device/{verb}/{{pk}}/{{dn}}")
        case ["", "broadcast", key, *path]:
            return _address(key, "", "/broadcast/{pk}/", path)
        case ["", key, name, *path] if key not in SYSTEM_ROOTS:
            return _address(key, name, "/{pk}/{dn}/", path)
    return None


def _address(product_key: str, device_name: str, root: str, path: list[str], rrpc_id: str = "") -> Address | None:
    rest = "/".join(path)
    return Address(product_key, device_name, root + rest, rrpc_id) if rest else None


class DeviceTopics:
    """The topics of one device, by product key and device name."""

    def __init__(self, product_key: str, device_name: str) -> None:
        """Take the names of the device."""
        self._product_key, self._device_name = product_key, device_name
        pair = f"{product_key}/{device_name}"
        self.own = f"/{pair}/"
        self.system = f"/sys/{pair}/"
        self.errors = f"/ext/error/{pair}"

    def owns(self, topic: str) -> bool:
        """Return whether a topic or a filter belongs to this device, or to all devices of its product."""
        address = parse_topic(topic)
        return (
            address is not None
            and address.product_key == self._product_key
            and address.device_name in (self._device_name, "")
        )

    def expand(self, pattern: str) -> str:
        """Return a topic of this device by its pattern, such as `/shadow/get/{pk}/{dn}`."""
        return pattern.replace("{pk}", self._product_key).replace("{dn}", self._device_name)

    def contract(self, topic: str) -> str:
        """Return the pattern of a topic or filter of this device, and other topics as they are."""
        address = parse_topic(topic) if self.owns(topic) else None
        return topic if address is None else address.pattern

    def service(self, identifier: str) -> str:
        """Return the downlink topic of an asynchronous service (§6.3)."""
        return f"{self.system}thing/service/{identifier}"

    def rrpc_request(self, message_id: str) -> str:
        """Return the system topic of an RRPC (§6.4)."""
        return f"{self.system}rrpc/request/{message_id}"

    def long_rrpc(self, message_id: str, topic: str) -> str:
        """Return the long topic of an RRPC; the device answers on the same (§6.4, §6.5)."""
        return f"/ext/rrpc/{message_id}{topic}"


def is_too_long(topic: str) -> bool:
    """Return whether a topic or filter exceeds the limits of the platform (docs/protocol.md §1.4).

    What stands before the topic in `/ext/rrpc/{message id}/…` is not counted: the platform itself chooses it.
    """
    address = parse_topic(topic)
    if address is not None and address.rrpc_id:
        topic = topic.removeprefix(f"/ext/rrpc/{address.rrpc_id}")
        address = parse_topic(topic)
    if len(topic.encode()) > TOPIC_BYTES:
        return True
    is_users = address is not None and address.pattern.startswith("/{pk}/{dn}/")
    return is_users and topic.count("/") > USER_TOPIC_SLASHES


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


def matches(topic_filter: str, topic: str) -> bool:
    """Return whether a filter matches a topic, as in MQTT."""
    wanted, given = topic_filter.split("/"), topic.split("/")
    if wanted[-1] == "#":
        wanted.pop()
        if len(given) < len(wanted):
            return False
    elif len(given) != len(wanted):
        return False
    return all(level in ("+", actual) for level, actual in zip(wanted, given, strict=False))


class Subscriptions:
    """The implicit and explicit subscriptions of one device.

    Thousands of sub-devices have the same implicit filters, so each only keeps those that it has ended.
    """

    def __init__(self, topics: DeviceTopics, implicit: tuple[str, ...] = ()) -> None:
        """Start with the patterns that the platform subscribes to; they are not counted as subscriptions of the device."""
        self._topics = topics
        self._implicit = implicit
        self._ended: frozenset[str] = frozenset()
        self._exact: set[str] = set()
        self._wildcards: set[str] = set()

    def __len__(self) -> int:
        """Return the number of explicit subscriptions."""
        return len(self._exact) + len(self._wildcards)

    def __contains__(self, topic_filter: str) -> bool:
        """Return whether the device itself has subscribed to exactly this filter."""
        return topic_filter in self._exact or topic_filter in self._wildcards

    def add(self, topic_filter: str) -> None:
        """Subscribe."""
        (self._wildcards if is_wildcard(topic_filter) else self._exact).add(topic_filter)

    def discard(self, topic_filter: str) -> None:
        """Unsubscribe, also from an implicit subscription."""
        self._exact.discard(topic_filter)
        self._wildcards.discard(topic_filter)
        if (pattern := self._topics.contract(topic_filter)) in self._implicit:
            self._ended |= {pattern}

    def match(self, topic: str) -> bool:
        """Return whether at least one filter matches the topic."""
        if topic in self._exact or any(matches(topic_filter, topic) for topic_filter in self._wildcards):
            return True
        return not _matching(self._implicit, self._topics.contract(topic)) <= self._ended


@lru_cache(maxsize=4096)
def _matching(filters: tuple[str, ...], topic: str) -> frozenset[str]:
    return frozenset(topic_filter for topic_filter in filters if matches(topic_filter, topic))
