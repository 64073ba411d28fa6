"""The topics of one device (`docs/protocol.md` §3 to §9, §12 and §16); `routes` says what a message on one of them means."""

from dataclasses import dataclass
from typing import Final

from .messages import is_unicode

LONG_RRPC: Final = "/ext/rrpc/"
"""The prefix of calls whose answer goes to the topic of the call: `/ext/rrpc/{messageId}{topic}`."""

USER_TOPIC_BYTES: Final = 128
USER_TOPIC_SLASHES: Final = 7
"""The longest and the deepest user topic of the platform, from `/{pk}` to the end (`docs/protocol.md` §12.7)."""

REPLY_SUFFIX: Final = "_reply"


@dataclass(frozen=True, slots=True)
class Topics:
    """All topics of one device."""

    product_key: str
    device_name: str

    @property
    def system(self) -> str:
        """The prefix of the platform's topics."""
        return f"/sys/{self.product_key}/{self.device_name}/"

    @property
    def users(self) -> str:
        """The prefix of the topics that the owner of the product has defined."""
        return f"/{self.product_key}/{self.device_name}/user/"

    @property
    def property_post(self) -> str:
        """Report current property values (up)."""
        return self._thing("event/property/post")

    @property
    def property_batch_post(self) -> str:
        """Report several samples of each property at once (up)."""
        return self._thing("event/property/batch/post")

    @property
    def property_history_post(self) -> str:
        """Report samples of the past, which leave the current value alone (up)."""
        return self._thing("event/property/history/post")

    def event_post(self, identifier: str) -> str:
        """Return where an event is reported (up).

        Raises `ValueError` for an identifier that is not one level of a topic.
        """
        if identifier == "property":
            raise ValueError("'property' is not the identifier of an event")
        return self._thing(f"event/{_level(identifier)}/post")

    @property
    def event_reply_filter(self) -> str:
        """The replies to events and to property posts, which are events too (down)."""
        return self._thing("event/+/post_reply")

    @property
    def desired_get(self) -> str:
        """Ask for desired property values (up)."""
        return self._thing("property/desired/get")

    @property
    def desired_delete(self) -> str:
        """Clear desired property values (up)."""
        return self._thing("property/desired/delete")

    @property
    def dsltemplate_get(self) -> str:
        """Ask for the thing model (up)."""
        return self._thing("dsltemplate/get")

    @property
    def raw_up(self) -> str:
        """Send a raw frame (up)."""
        return self._thing("model/up_raw")

    @property
    def raw_up_reply(self) -> str:
        """The cloud's answer to a raw frame (down)."""
        return reply_topic(self.raw_up)

    @property
    def raw_down(self) -> str:
        """A raw frame from the cloud (down)."""
        return self._thing("model/down_raw")

    @property
    def raw_down_reply(self) -> str:
        """The device's answer to a raw frame (up)."""
        return reply_topic(self.raw_down)

    @property
    def property_set(self) -> str:
        """The cloud sets properties (down)."""
        return self._thing("service/property/set")

    @property
    def property_get(self) -> str:
        """The cloud asks for properties (down)."""
        return self._thing("service/property/get")

    def service(self, identifier: str) -> str:
        """Return where the cloud calls an asynchronous service (down).

        Raises `ValueError` for an identifier that is not one level of a topic.
        """
        return self._thing(f"service/{_level(identifier)}")

    @property
    def service_filter(self) -> str:
        """All asynchronous services (down)."""
        return self._thing("service/+")

    @property
    def rrpc_request_filter(self) -> str:
        """All synchronous calls in the short form (down)."""
        return f"{self.system}rrpc/request/+"

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

    @property
    def ntp_request(self) -> str:
        """Ask for the time (up)."""
        return f"/ext/ntp/{self.product_key}/{self.device_name}/request"

    @property
    def ntp_response(self) -> str:
        """The time (down)."""
        return f"/ext/ntp/{self.product_key}/{self.device_name}/response"

    def _user(self, suffix: str) -> str:
        topic = f"{self.users}{suffix}"
        if "" in suffix.split("/"):
            raise ValueError(f"{suffix!r} has an empty level")
        if "\0" in suffix or not is_unicode(suffix):
            raise ValueError(f"{suffix!r} has a character that no topic can have")
        if topic.count("/") > USER_TOPIC_SLASHES or len(topic.encode()) > USER_TOPIC_BYTES:
            raise ValueError(f"{suffix!r} is longer than the platform allows")
        return topic

    def _thing(self, rest: str) -> str:
        return f"{self.system}thing/{rest}"


def reply_topic(topic: str) -> str:
    """Return the topic on which a request on `topic` is answered (`docs/protocol.md` §0.4)."""
    return topic + REPLY_SUFFIX


def is_reply(topic: str) -> bool:
    """Return whether requests are answered on this topic."""
    return topic.startswith("/sys/") and topic.endswith(REPLY_SUFFIX)


def is_time(topic: str) -> bool:
    """Return whether the time service answers on this topic (`docs/protocol.md` §12.3)."""
    return topic.startswith("/ext/ntp/") and topic.endswith("/response")


def identity_of(topic: str) -> tuple[str, str] | None:
    """Return the ProductKey and DeviceName in a topic, None where it has none."""
    levels = topic.split("/", 8)
    if topic.startswith(LONG_RRPC):  # the topic called follows the message id
        levels = levels[3:]
    match levels:
        case [_, "sys", product_key, device_name, _, *_]:
            return product_key, device_name
        case [_, product_key, device_name, "user", *_]:
            return product_key, device_name
    return None


def long_rrpc_filter(topic: str) -> str:
    """Return the filter for synchronous calls on `topic` in the long form (`docs/protocol.md` §6.5)."""
    return f"{LONG_RRPC}+{topic}"


def _level(identifier: str) -> str:
    """Return an identifier; raises ValueError unless it is exactly one level of a topic."""
    if not identifier or not {"/", "+", "#", "\0"}.isdisjoint(identifier):
        raise ValueError(f"{identifier!r} can't be a level of a topic")
    return identifier
