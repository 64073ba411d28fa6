"""The topics of one device (docs/protocol.md §3 to §9, §12 and §16).

`command.route` says what a downlink on one of them is.
"""

from typing import Final

from .auth import Identity
from .messages import is_unicode

LONG_RRPC: Final = "/ext/rrpc/"
"""The prefix of calls whose answer goes to the topic of the call: `/ext/rrpc/{messageId}{topic}`."""

USER_TOPIC_BYTES: Final = 128
USER_TOPIC_SLASHES: Final = 7
"""The longest and the deepest user topic of the platform, from `/{pk}` to the end (`docs/protocol.md` §12.7)."""

REPLY_SUFFIX: Final = "_reply"

LIFECYCLE: Final = ("disable", "enable", "delete")
"""The last levels of the topics on which a sub-device is told what was done to it (docs/protocol.md §13)."""


class _Topic:
    """A topic with the names of the device in it, made when it is asked for: 500 sub-devices would have 15,000 of them."""

    def __init__(self, before: str, after: str = "") -> None:
        """Take what stands before and after the names."""
        self._before = before
        self._after = after

    def __get__(self, topics: Topics, _owner: object = None) -> str:
        """Return the topic of one device."""
        return f"{self._before}{topics.names}{self._after}"


class Topics:
    """All topics of one device, each up (device → cloud) or down."""

    system = _Topic("/sys/", "/")
    """The prefix of the platform's topics."""
    users = _Topic("/", "/user/")
    """The prefix of the topics that the owner of the product has defined."""
    property_post = _Topic("/sys/", "/thing/event/property/post")
    """Report current property values (up)."""
    property_batch_post = _Topic("/sys/", "/thing/event/property/batch/post")
    """Report several samples of each property at once (up)."""
    property_history_post = _Topic("/sys/", "/thing/event/property/history/post")
    """Report samples of the past, which leave the current value alone (up)."""
    event_reply_filter = _Topic("/sys/", "/thing/event/+/post_reply")
    """The replies to events and to property posts, which are events too (down)."""
    desired_get = _Topic("/sys/", "/thing/property/desired/get")
    """Ask for desired property values (up)."""
    desired_delete = _Topic("/sys/", "/thing/property/desired/delete")
    """Clear desired property values (up)."""
    dsltemplate_get = _Topic("/sys/", "/thing/dsltemplate/get")
    """Ask for the thing model (up)."""
    raw_up = _Topic("/sys/", "/thing/model/up_raw")
    """Send a raw frame (up)."""
    raw_up_reply = _Topic("/sys/", "/thing/model/up_raw_reply")
    """The cloud's answer to a raw frame (down)."""
    raw_down = _Topic("/sys/", "/thing/model/down_raw")
    """A raw frame from the cloud (down)."""
    raw_down_reply = _Topic("/sys/", "/thing/model/down_raw_reply")
    """The device's answer to a raw frame (up)."""
    property_set = _Topic("/sys/", "/thing/service/property/set")
    """The cloud sets properties (down)."""
    property_get = _Topic("/sys/", "/thing/service/property/get")
    """The cloud asks for properties (down)."""
    service_filter = _Topic("/sys/", "/thing/service/+")
    """All asynchronous services (down)."""
    rrpc_request_filter = _Topic("/sys/", "/rrpc/request/+")
    """All synchronous calls in the short form (down)."""
    ntp_request = _Topic("/ext/ntp/", "/request")
    """Ask for the time (up)."""
    ntp_response = _Topic("/ext/ntp/", "/response")
    """The time (down)."""
    tags_update = _Topic("/sys/", "/thing/deviceinfo/update")
    """Add and replace tags (up)."""
    tags_delete = _Topic("/sys/", "/thing/deviceinfo/delete")
    """Delete tags (up)."""
    config_get = _Topic("/sys/", "/thing/config/get")
    """Ask for the remote configuration (up)."""
    config_push = _Topic("/sys/", "/thing/config/push")
    """The cloud sends a remote configuration (down)."""
    log_config_get = _Topic("/sys/", "/thing/config/log/get")
    """Ask whether the cloud wants logs (up)."""
    log_config_push = _Topic("/sys/", "/thing/config/log/push")
    """The cloud starts or stops to want logs (down)."""
    log_post = _Topic("/sys/", "/thing/log/post")
    """Post logs (up)."""
    upgrade_get = _Topic("/sys/", "/thing/ota/firmware/get")
    """Ask for a pending upgrade (up)."""
    upgrade = _Topic("/ota/device/upgrade/")
    """The cloud offers an upgrade (down)."""
    version_report = _Topic("/ota/device/inform/")
    """Report the version of a module (up)."""
    upgrade_progress = _Topic("/ota/device/progress/")
    """Report the progress of an upgrade (up)."""
    shadow_update = _Topic("/shadow/update/")
    """Every request about the shadow (up)."""
    shadow_get = _Topic("/shadow/get/")
    """Replies about the shadow, and its changes by applications (down)."""

    def __init__(self, product_key: str, device_name: str) -> None:
        """Name the device; the topics with an identifier in them are methods."""
        self.device_name = device_name
        self.names = f"{product_key}/{device_name}"

    @property
    def lifecycle(self) -> tuple[str, ...]:
        """Return where a sub-device is told that it was disabled, enabled or deleted (down)."""
        return tuple(f"{self.system}thing/{verb}" for verb in LIFECYCLE)

    def event_post(self, identifier: str) -> str:
        """Return where an event is reported (up).

        Raises `ValueError` for an identifier that is not one level of a topic.
        """
        if identifier == "property":
            raise ValueError("'property' is not the identifier of an event")
        return f"{self.system}thing/event/{_level(identifier)}/post"

    def service(self, identifier: str) -> str:
        """Return where the cloud calls an asynchronous service (down).

        Raises `ValueError` for an identifier that is not one level of a topic.
        """
        return f"{self.system}thing/service/{_level(identifier)}"

    def user(self, suffix: str) -> str:
        """Return the topic `/{pk}/{dn}/user/{suffix}` (up and down).

        Raises `ValueError` for a suffix with a wildcard or an empty level, and for one that is too long for the platform.
        """
        if not {"+", "#"}.isdisjoint(suffix):
            raise ValueError(f"{suffix!r} has a wildcard, which only a subscription may have")
        return self._user(suffix)

    def user_filters(self, suffix: str) -> tuple[str, str]:
        """Return the two filters of a user topic: for its messages, and for synchronous calls on it.

        `suffix` may have the wildcards of MQTT: `+` for a whole level, `#` for all that follow. Otherwise raises `ValueError`
        as `user` does.
        """
        levels = suffix.split("/")
        if "#" in levels[:-1] or any(not {"+", "#"}.isdisjoint(level) and len(level) > 1 for level in levels):
            raise ValueError(f"{suffix!r} has a wildcard where MQTT allows none")
        topic = self._user(suffix)
        return topic, long_rrpc_filter(topic)

    def _user(self, suffix: str) -> str:
        topic = f"{self.users}{suffix}"
        if "" in suffix.split("/"):
            raise ValueError(f"{suffix!r} has an empty level")
        if "\0" in suffix or not is_unicode(suffix):
            raise ValueError(f"{suffix!r} has a character that no topic can have")
        if topic.count("/") > USER_TOPIC_SLASHES or len(topic.encode()) > USER_TOPIC_BYTES:
            raise ValueError(f"{suffix!r} is longer than the platform allows")
        return topic


class GatewayTopics:
    """The topics of a gateway that concern its sub-devices, with its own names (`docs/protocol.md` §10)."""

    def __init__(self, product_key: str, device_name: str) -> None:
        """Build the topics."""
        thing = f"/sys/{product_key}/{device_name}/thing"
        session = f"/ext/session/{product_key}/{device_name}/combine"
        self.topology_add = f"{thing}/topo/add"
        """Add sub-devices to the topology (up)."""
        self.topology_delete = f"{thing}/topo/delete"
        """Remove sub-devices from the topology (up)."""
        self.topology_get = f"{thing}/topo/get"
        """Ask for the topology (up)."""
        self.topology_change = f"{thing}/topo/change"
        """The topology has changed, or a sub-device was disabled or enabled (down)."""
        self.add_notify = f"{thing}/topo/add/notify"
        """The cloud asks the gateway to add sub-devices (down)."""
        self.register = f"{thing}/sub/register"
        """Ask for the secrets of sub-devices (up)."""
        self.product_register = f"{thing}/proxy/provisioning/product_register"
        """Ask for the secrets of sub-devices with the secrets of their products (up)."""
        self.pack_post = f"{thing}/event/property/pack/post"
        """Report values of the gateway and of sub-devices (up)."""
        self.login = f"{session}/batch_login"
        """Log sub-devices in (up)."""
        self.logout = f"{session}/batch_logout"
        """Log sub-devices out (up)."""
        self.errors = f"/ext/error/{product_key}/{device_name}"
        """A sub-device is or has gone offline (down)."""
        self.filters = (
            self.topology_change,
            self.add_notify,
            self.errors,
            *map(
                reply_topic,
                (
                    self.topology_get,
                    self.topology_add,
                    self.login,
                    self.logout,
                    self.topology_delete,
                    self.register,
                    self.product_register,
                    self.pack_post,
                ),
            ),
        )
        """What a gateway subscribes to."""


def lifecycle_of(topic: str) -> str:
    """Return which of `LIFECYCLE` a topic is, the empty text for none."""
    match topic.split("/", 6):
        case ["", "sys", _, _, "thing", verb] if verb in LIFECYCLE:
            return verb
    return ""


def reply_topic(topic: str) -> str:
    """Return the topic on which a request on `topic` is answered (`docs/protocol.md` §0.4)."""
    return topic + REPLY_SUFFIX


def is_reply(topic: str) -> bool:
    """Return whether requests are answered on this topic."""
    match topic.split("/", 5):
        case ["", "sys", _, _, "thing", rest]:
            return rest.endswith(REPLY_SUFFIX)
        case ["", "ext", "session", _, _, rest]:
            return rest.endswith(REPLY_SUFFIX)
    return False


def is_rrpc(topic: str) -> bool:
    """Return whether synchronous calls arrive on this topic or filter (`docs/protocol.md` §6.4, §6.5)."""
    return topic.startswith(LONG_RRPC) or (topic.startswith("/sys/") and "/rrpc/request/" in topic)


def is_time(topic: str) -> bool:
    """Return whether the time service answers on this topic (`docs/protocol.md` §12.3)."""
    return topic.startswith("/ext/ntp/") and topic.endswith("/response")


def kind_of(topic: str) -> str:
    """Return a topic without the names of the device, which is the same for all devices of a connection."""
    match topic.split("/", 4):
        case ["", "sys", _, _, rest]:
            return rest
    return "/ext/ntp" if topic.startswith("/ext/ntp/") else topic


def identity_of(topic: str) -> Identity | None:
    """Return the ProductKey and DeviceName in a topic, None where it has none."""
    levels = topic.split("/", 8)
    if topic.startswith(LONG_RRPC):  # the topic called follows the message id
        levels = levels[3:]
    match levels:
        case [_, "sys", product_key, device_name, _, *_]:
            return Identity(product_key, device_name)
        case [_, "ext", "session" | "error" | "ntp", product_key, device_name, *_]:
            return Identity(product_key, device_name)
        case [_, product_key, device_name, "user", *_]:
            return Identity(product_key, device_name)
        case [_, "ota", "device", "upgrade", product_key, device_name]:
            return Identity(product_key, device_name)
        case [_, "shadow", "get", product_key, device_name]:
            return Identity(product_key, device_name)
    return None


def long_rrpc_filter(topic: str) -> str:
    """Return the filter for synchronous calls on `topic` in the long form (`docs/protocol.md` §6.5)."""
    return f"{LONG_RRPC}+{topic}"


def _level(identifier: str) -> str:
    """Return an identifier; raises ValueError unless it is exactly one level of a topic."""
    if not identifier or not {"/", "+", "#", "\0"}.isdisjoint(identifier):
        raise ValueError(f"{identifier!r} can't be a level of a topic")
    return identifier
