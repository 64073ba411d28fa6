"""A device of the cloud on a link: its requests and messages, its subscriptions and its commands."""

from collections.abc import Callable, Iterable, Mapping
from itertools import batched
import json
from typing import TYPE_CHECKING, Final

from .auth import Identity
from .command import route
from .desired import DESIRED_LIMIT, Desired, read_desired
from .downlink import Downlink
from .errors import MessageError, NotConnected, Rejected, RequestTimeout
from .features import Feature, Notice, read_notice
from .foreign import logger_of
from .messages import MAX_PAYLOAD, JsonValue, Reply, encode_document
from .mqtt.endpoint import Endpoint
from .mqtt.transport import Delivery
from .ntp import ClockReading
from .samples import Sample, batch_params, history_params, property_params
from .session import next_id
from .shadow import Shadow
from .subscriptions import filters_for, missing_filters, user_filters
from .topics import GatewayTopics, Topics, is_rrpc, reply_topic

if TYPE_CHECKING:
    from .link import Link
    from .session import Session

_LOGGER = logger_of(__name__)

type NoticeHandler = Callable[[Notice], None]

REPLY_TIMEOUT: Final = 10.0
"""Seconds to wait for a reply of the cloud."""


class Device:
    """A device of the cloud.

    Every method that sends raises NotConnected without a connection. Requests return the reply, whatever its code, and raise
    RequestTimeout without one: then it is unknown whether they took effect. `timeout` is in seconds.
    """

    def __init__(
        self,
        link: Link,
        identity: Identity,
        downlink: Downlink,
        *,
        services: Iterable[str] = (),
        user_topics: Iterable[str] = (),
        on_notice: NoticeHandler = lambda _notice: None,
        implicit: bool = False,
        on_code: Callable[[int], None] | None = None,
    ) -> None:
        """`downlink` carries out its commands, `on_notice` is called with what the cloud sends of features in use.

        `services` and `user_topics` are as for `listen_to` and `listen_to_topics`, and raise the same errors. An `implicit`
        device is subscribed by the platform to most of its topics (docs/protocol.md §0.5); where nothing arrives that way, it
        subscribes itself. `on_code` is as for `Session.request`, and is there for a sub-device.
        """
        self.identity = identity
        self.topics = Topics(*identity)
        self.downlink = downlink
        self.logged_in = on_code is None
        """Whether it is online as far as it is known, when the link is; a sub-device has to log in."""
        self._link = link
        self._implicit = implicit
        self._on_code = on_code
        self._has_batches = False
        self._has_replies = False
        self._gateway_filters: tuple[str, ...] = ()
        self._services = tuple(services)
        self._user_topics = tuple(user_topics)
        self._features: frozenset[Feature] = frozenset()
        self._on_notice = on_notice
        self._last_notice: bytes | None = None
        self.shadow = Shadow(self, on_notice)
        """The shadow of the device."""
        self._reported_refusals: frozenset[str] = frozenset()
        self.filters = self._wanted_filters()
        """The topic filters that the device needs."""

    @property
    def is_online(self) -> bool:
        """Whether messages can be sent."""
        return self.logged_in and self._link.is_online

    def become_gateway(self, topics: GatewayTopics) -> None:
        """Need the topics of a gateway, too; `Link.subscribe` subscribes to them if the link is online."""
        self._gateway_filters = topics.filters
        self.filters = self._wanted_filters()

    async def listen_to(self, services: Iterable[str]) -> None:
        """Change the services to subscribe to, without reconnecting.

        Those that are not named are received as well if the host accepts a wildcard.
        """
        await self.listen(services, self._user_topics)

    async def listen_to_topics(self, suffixes: Iterable[str]) -> None:
        """Change the user topics to subscribe to, without reconnecting (docs/protocol.md §12.7).

        `suffixes` are the parts after `/{pk}/{dn}/user/`, which may have MQTT wildcards. Messages and synchronous calls
        arrive as commands of the kind `message`.

        Raises `ValueError`, and changes nothing, for a suffix that is not a topic and for more than
        `subscriptions.USER_TOPIC_LIMIT` of them. `refused_topics` returns those that the cloud refuses.
        """
        await self.listen(self._services, suffixes)

    async def listen(self, services: Iterable[str], suffixes: Iterable[str]) -> None:
        """Change both together, as `listen_to` and `listen_to_topics` do."""
        before = self._services, self._user_topics
        self._services, self._user_topics = tuple(services), tuple(suffixes)
        try:
            await self._listen()
        except ValueError:
            self._services, self._user_topics = before
            raise

    async def use(self, features: Iterable[Feature]) -> None:
        """Change the features of device management to subscribe to, without reconnecting."""
        if (wanted := frozenset(features)) != self._features:
            self._features = wanted
            await self._listen()

    @property
    def endpoint(self) -> Endpoint:
        """The host that the device is connected to."""
        return self._link.config.endpoint

    @property
    def refused_topics(self) -> frozenset[str]:
        """The user topics whose subscription the cloud refuses: they are not defined, or not allowed for the device."""
        refused = self._link.refused_filters
        return frozenset(suffix for suffix in self._user_topics if self.topics.user_filters(suffix)[0] in refused)

    def missing_filters(self, *, events: bool) -> tuple[str, ...]:
        """Return the filters that the cloud refuses although the device does not work without them; see there for `events`."""
        held = frozenset(self.filters) - self._link.refused_filters
        rrpc = self._link.config.host.has_rrpc
        return missing_filters(self.topics, self._services, held, events=events, rrpc=rrpc)

    def log_refused_topics(self) -> None:
        """Log each user topic that the cloud refuses, once."""
        refused = self.refused_topics
        for suffix in sorted(refused - self._reported_refusals):
            _LOGGER.warning(
                "The cloud does not let %s listen to %s: the product needs a topic class for it, with the permission to"
                " subscribe",
                self.topics.device_name,
                self.topics.user_filters(suffix)[0],
            )
        self._reported_refusals = refused

    async def request(
        self,
        topic: str,
        method: str,
        params: JsonValue,
        *,
        qos: int = 0,
        timeout: float = REPLY_TIMEOUT,
        basic: bool = False,
    ) -> Reply:
        """Send any request; `basic` is explained at `Session.request`."""
        try:
            reply = await self._session.request(
                topic, method, params, qos=qos, timeout=timeout, basic=basic, on_code=self._on_code
            )
        except RequestTimeout:
            if basic and self._implicit and not self._has_replies:
                _LOGGER.debug("%s receives nothing without subscriptions", self.topics.device_name)
                self._implicit = False
                await self._listen()
            raise
        self._has_replies = True
        return reply

    async def ask(self, topic: str, method: str, params: JsonValue) -> JsonValue:
        """Send a request and return the data of its reply; raises Rejected for a code other than 200."""
        return _accepted(await self.request(topic, method, params))

    async def tell(self, topic: str, params: dict[str, JsonValue]) -> None:
        """Send a message that has no reply, and wait for its PUBACK; raises RequestTimeout without one."""
        await self.send(topic, encode_document({"id": next_id(), "params": params}))

    async def send(self, topic: str, payload: bytes) -> None:
        """Send a payload on a topic of the platform, and wait for its PUBACK; raises RequestTimeout without one."""
        await self._session.publish(topic, payload, 1)

    async def post_properties(self, samples: Mapping[str, Sample], timeout: float = REPLY_TIMEOUT) -> Reply:
        """Report property values (docs/protocol.md §4.1)."""
        return await self.request(
            self.topics.property_post,
            "thing.event.property.post",
            property_params(samples),
            qos=1,
            timeout=timeout,
            basic=True,
        )

    async def post_batch(self, samples: Iterable[tuple[str, Sample]], timeout: float = REPLY_TIMEOUT) -> Reply:
        """Report present samples, oldest first, possibly several of a property (docs/protocol.md §4.3).

        Raises MessageError when they are too many for one message.
        """
        if self._implicit and not self._has_batches:  # the only reply that is not implicit
            self._has_batches = True
            await self._listen()
        return await self.request(
            self.topics.property_batch_post,
            "thing.event.property.batch.post",
            batch_params(samples),
            qos=1,
            timeout=timeout,
        )

    async def post_history(self, samples: Iterable[tuple[str, Sample]], timeout: float = REPLY_TIMEOUT) -> Reply:
        """Report past samples, which don't change the present values (docs/protocol.md §4.5); raises as `post_batch`."""
        return await self.request(
            self.topics.property_history_post,
            "thing.event.property.history.post",
            history_params(self.identity, samples),
            qos=1,
            timeout=timeout,
        )

    async def post_event(
        self, identifier: str, output: Mapping[str, JsonValue], at: int, timeout: float = REPLY_TIMEOUT
    ) -> Reply:
        """Report an event that happened `at` (UTC milliseconds) (docs/protocol.md §5)."""
        if self._link.config.host.text_events:
            output = {name: value if isinstance(value, str) else json.dumps(value) for name, value in output.items()}
        return await self.request(
            self.topics.event_post(identifier),
            f"thing.event.{identifier}.post",
            {"value": dict(output), "time": at},
            qos=1,
            timeout=timeout,
            basic=True,
        )

    async def send_raw(self, payload: bytes) -> None:
        """Send a frame in the product's own format, and wait for its PUBACK (docs/protocol.md §3).

        Raises RequestTimeout when the host does not acknowledge it.
        """
        await self._session.publish(self.topics.raw_up, payload, 1)

    async def publish(self, suffix: str, payload: bytes, qos: int = 1) -> None:
        """Publish on the user topic `/{pk}/{dn}/user/{suffix}`; at QoS 1 wait for the PUBACK (docs/protocol.md §12.7).

        The platform silently drops messages on a topic that it does not know. Raises `ValueError` for a suffix that is not a
        topic, a payload that is too large and a QoS other than 0 and 1, and RequestTimeout when the host does not acknowledge
        it.
        """
        topic = self.topics.user(suffix)
        if len(payload) > MAX_PAYLOAD:
            raise ValueError(f"the message has {len(payload)} bytes, more than the {MAX_PAYLOAD} allowed")
        if qos not in (0, 1):
            raise ValueError("the platform supports QoS 0 and 1 only")
        await self._session.publish(topic, payload, qos)

    async def get_desired(self, identifiers: Iterable[str], timeout: float = REPLY_TIMEOUT) -> dict[str, Desired]:
        """Return the desired values of these properties, in requests of 200 at most (docs/protocol.md §9).

        A property without a desired value is not in the result, nor is one that was not asked for. `timeout` is for each
        request. Raises Rejected for a code other than 200.
        """
        found: dict[str, Desired] = {}
        for batch in batched(dict.fromkeys(identifiers), DESIRED_LIMIT, strict=False):
            reply = await self.request(
                self.topics.desired_get, "thing.property.desired.get", list(batch), timeout=timeout
            )
            desired = read_desired(_accepted(reply))
            found |= {identifier: desired[identifier] for identifier in batch if identifier in desired}
        return found

    async def delete_desired(self, versions: Mapping[str, int], timeout: float = REPLY_TIMEOUT) -> None:
        """Clear the desired values that still have these versions; raises as `get_desired` does."""
        # An empty object must not be sent: it would clear everything.
        for batch in batched(versions.items(), DESIRED_LIMIT, strict=False):
            params: JsonValue = {identifier: {"version": version} for identifier, version in batch}
            _accepted(
                await self.request(self.topics.desired_delete, "thing.property.desired.delete", params, timeout=timeout)
            )

    async def fetch_thing_model(self, timeout: float = REPLY_TIMEOUT) -> Reply:
        """Ask the cloud for the thing model; not every instance replies (docs/protocol.md §8.4)."""
        return await self.request(self.topics.dsltemplate_get, "thing.dsltemplate.get", {}, timeout=timeout)

    async def read_clock(self, timeout: float = REPLY_TIMEOUT) -> ClockReading:
        """Compare this machine's clock with the cloud's (docs/protocol.md §12.3)."""
        return await self._session.read_clock(self.topics.ntp_request, timeout)

    def received(self, delivery: Delivery) -> None:
        """Handle a downlink on one of this device's topics."""
        where = route(self.topics, delivery.topic)
        if delivery.topic == self.topics.shadow_get:
            self.shadow.received(delivery.payload)
        elif where is None and not self._noticed(delivery):
            _LOGGER.debug("Message on a topic that is not a downlink: %s", delivery.topic)
        elif where:
            self.downlink.received(where, delivery)

    @property
    def _session(self) -> Session:
        if not self.logged_in:
            raise NotConnected("the sub-device is not logged in")
        return self._link.session

    def _wanted_filters(self) -> tuple[str, ...]:
        if self._implicit:
            batches = (reply_topic(self.topics.property_batch_post),) if self._has_batches else ()
            return (*batches, *user_filters(self.topics, self._user_topics))
        others = self._gateway_filters if self._on_code is None else self.topics.lifecycle
        filters = filters_for(self.topics, self._services, self._user_topics, sorted(self._features), others)
        if self._link.config.host.has_rrpc:
            return filters
        return tuple(topic_filter for topic_filter in filters if not is_rrpc(topic_filter))

    def _noticed(self, delivery: Delivery) -> bool:
        """Pass a notice of device management on, once, and acknowledge it; return whether it was one."""
        try:
            read = read_notice(self.topics, delivery.topic, delivery.payload)
        except MessageError as err:
            _LOGGER.debug("Cannot read the message on %s: %s", delivery.topic, err)
            return True
        if read is None:
            return False
        notice, message_id = read
        if message_id is not None:
            self.downlink.acknowledge(reply_topic(delivery.topic), message_id)
        if not (delivery.again and delivery.payload == self._last_notice):
            self._last_notice = delivery.payload
            self._on_notice(notice)
        return True

    async def _listen(self) -> None:
        self.filters = self._wanted_filters()
        await self._link.subscribe()


def _accepted(reply: Reply) -> JsonValue:
    if not reply.ok:
        raise Rejected(reply.code, reply.message)
    return reply.data
