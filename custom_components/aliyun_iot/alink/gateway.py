"""A gateway: its topology, and the registration, the logins and the logouts of its sub-devices (docs/protocol.md §10).

What its owner does:

    gateway = Gateway(link, on_change=…, store_secrets=…)
    gateway.start()                                  # before or after link.start()
    device = link.attach(identity, on_command, …)    # its `Device`: post_properties, post_event, listen_to_topics, …
    gateway.put(SubDeviceConfig(identity, secret))   # it should exist; also to change its secret
    gateway.want(identity, online=True)              # it should be online; False logs it out
    gateway.sub_devices[identity]                    # SubDevice: state, since, error, wanted, secret
    gateway.retry(identity)                          # forget the last error and try at once; without an argument all
    await gateway.remove([identity])                 # log out, remove from the topology, forget → errors by identity
    gateway.drop(identity)                           # log out and forget; the topology stays
    await gateway.register([config, …])              # secrets for devices that are not put yet → Registered
    await gateway.post_pack({identity: {key: Sample}})   # one message for up to 20 sub-devices and 200 values
    await gateway.stop()                             # before link.stop(); logs out within two seconds
    await link.detach(identity)                      # gives up the commands of a sub-device

`put` and `want` only write down what should be; a task brings it about, with one request under way at a time: it asks for the
topology, registers what lacks a secret, adds what is not in the topology, and logs in and out. `on_change` is called with
each `SubDevice` whose `state` or `error` has changed. After a reconnect everything happens again, spread over a second or so.

`Device.is_online` of an attached sub-device says whether it can send; every method of it raises NotConnected otherwise.

`store_secrets` gets the secrets of sub-devices that were registered before they are used, since the cloud has replaced the
earlier ones; an exception of it counts as a failed registration.

A request about several sub-devices succeeds for all of them or for none. One that fails is repeated without those that the
cloud names as the culprits, or in parts when it names none or all of them, until the culprits are alone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
import contextlib
from dataclasses import dataclass, field
from itertools import batched
import math
import random
import secrets as random_texts
import time
from typing import Final

from .auth import DeviceTriple, Identity, SignMethod, registration_entry, sub_device_entry
from .codes import Code
from .device import REPLY_TIMEOUT
from .errors import (
    ConnectError,
    MessageError,
    NotAGateway,
    NotConnected,
    RequestTimeout,
    SubDeviceError,
    TripleInvalid,
    Unanswered,
)
from .foreign import logger_of
from .link import Link, LinkState
from .messages import JsonValue, Reply, decode_reply, decode_request, encode_reply
from .model.numeric import to_whole
from .mqtt.pacing import doubled
from .mqtt.transport import Delivery
from .samples import Sample, pack_params, utc_milliseconds, wire_identity
from .sub_device import MAX_LOGIN_BATCH, SubDevice, SubDeviceConfig, SubDeviceState, sub_device_error
from .topics import LIFECYCLE, GatewayTopics, lifecycle_of, reply_topic

_LOGGER = logger_of(__name__)

REQUEST_BATCH: Final = 30
"""Sub-devices in one request about the topology or registration (docs/protocol.md §10.4)."""

OLD_LOGIN_BATCH: Final = 5
"""Sub-devices in one login or logout that instances of 2020 allow."""

LOGINS_PER_SECOND: Final = 150
"""The platform allows 200 for a gateway (docs/protocol.md §10.4)."""

PARTS: Final = 4
"""Into how many parts a failed batch is divided. With halves, an innocent neighbour of the culprit would be logged in six
times, but the platform allows five times a minute."""

PACK_SUB_DEVICES: Final = 20
PACK_PROPERTIES: Final = 200
"""Limits of a pack post (docs/protocol.md §4.4)."""

RECONNECT_SPREAD: Final = 1.0
"""Seconds over which the beginning is spread after a reconnect: a restart of the cloud disconnects all gateways at once."""

FIRST_PAUSE: Final = 2.0
LONGEST_PAUSE: Final = 60.0
"""Seconds after a request that failed for a reason that is not about a sub-device."""

LOGOUT_TIME: Final = 2.0
"""Seconds for the logout when the gateway stops; the end of the connection logs out as well."""

SHORTEST_DELAY: Final = 0.01
"""Seconds to wait when nothing is due, since a timer may end early."""

NO_SESSION: Final = 520
DELETED: Final = 521
NOT_IN_TOPOLOGY: Final = 6401

_BUSY: Final = frozenset({Code.TOO_BUSY, 403, 500, NO_SESSION, 6313, 6760})
"""Codes that are about the gateway or the platform, unless they name some of the sub-devices."""

_CREATED, _REMOVED, _ENABLED, _DISABLED = 0, 1, 2, 8
"""Values of `status` in a change of the topology (docs/protocol.md §10.1)."""

_CODE_OF_VERB: Final[Mapping[str, int]] = dict(zip(LIFECYCLE, (522, 0, DELETED), strict=True))

type ChangeHandler = Callable[[SubDevice], None]
type SecretStore = Callable[[Mapping[Identity, str]], Awaitable[None]]
type _Send = Callable[[tuple[SubDevice, ...]], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Registered:
    """The result of a registration: the secrets, and why some devices have none."""

    secrets: dict[Identity, str] = field(default_factory=dict, repr=False)
    refused: dict[Identity, SubDeviceError] = field(default_factory=dict)


class Gateway:
    """Keeps the sub-devices of a link as they should be; see the module."""

    def __init__(
        self,
        link: Link,
        *,
        on_change: ChangeHandler,
        store_secrets: SecretStore,
        login_batch: int = MAX_LOGIN_BATCH,
        sign_method: SignMethod = SignMethod.HMACSHA256,
        jitter: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`login_batch` is the most sub-devices in one login or logout: 50, on old instances 5."""
        self.sub_devices: dict[Identity, SubDevice] = {}
        """All sub-devices that should exist; to be changed by `put`, `drop` and `remove` only."""
        self.error: SubDeviceError | None = None
        """Why the device can't be a gateway: `NotAGateway`, or None."""
        self._link = link
        self._device = link.device
        self._topics = GatewayTopics(*link.device.identity)
        self._on_change = on_change
        self._store_secrets = store_secrets
        self._login_batch = login_batch
        self._sign_method = sign_method
        self._jitter = jitter
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._dropped: list[SubDevice] = []
        self._reporting: asyncio.Task[None] | None = None
        self._unlisten: Callable[[], None] | None = None
        self._topology_known = False
        self._paused_until = -math.inf
        self._failures = 0
        self._next_login = -math.inf

    def start(self) -> None:
        """Begin, and go on whenever the link is online, until `stop`."""
        if self._unlisten is None:
            self._device.become_gateway(self._topics)
            self._unlisten = self._link.listen(self)
            self.link_changed(self._link.state, None)

    async def stop(self) -> None:
        """Log the sub-devices out, as far as that is done within `LOGOUT_TIME`, and end everything."""
        if self._unlisten is None:
            return
        self._unlisten()
        self._unlisten = None
        await self._end_task()
        online = [sub for sub in self.sub_devices.values() if sub.state is SubDeviceState.ONLINE]
        try:
            if online and self._link.is_online:
                async with asyncio.timeout(LOGOUT_TIME):
                    await self._log_out(online)
        except (NotConnected, RequestTimeout, SubDeviceError, TimeoutError) as err:
            _LOGGER.debug("Not all sub-devices were logged out: %s", err)
        finally:
            for sub in online:
                self._end_session(sub)
                self._set(sub, SubDeviceState.OFFLINE)
                await asyncio.sleep(0)
            if self._reporting:
                await asyncio.wait([self._reporting])

    # What should be

    def put(self, config: SubDeviceConfig) -> SubDevice:
        """Have a sub-device; one with another secret than before is tried again at once. It is not wanted online at first.

        One that is just being removed from the topology is added again afterwards.
        """
        sub = self.sub_devices.get(config.identity)
        if sub is None or sub.leaving:
            sub = SubDevice(config.identity, config.secret, config.product_secret, self._clock)
            self.sub_devices[config.identity] = sub
            self._topology_known = False
            self._rest_now(sub)
        elif (sub.secret, sub.product_secret) != (config.secret, config.product_secret):
            sub.secret, sub.product_secret = config.secret, config.product_secret
            self.retry(sub.identity)
        self._changed.set()
        return sub

    def want(self, identity: Identity, *, online: bool) -> None:
        """Say whether a sub-device should be online."""
        sub = self.sub_devices[identity]
        if sub.wanted is not online:
            sub.wanted = online
            if sub.state is not SubDeviceState.ONLINE:
                self._rest_now(sub)
            self._changed.set()

    def retry(self, identity: Identity | None = None) -> None:
        """Forget what went wrong with a sub-device, or with all, and try again at once.

        One that was removed from the topology is added again, and taken from another gateway that has it.
        """
        for sub in self.sub_devices.values() if identity is None else (self.sub_devices[identity],):
            if sub.state is not SubDeviceState.ONLINE:
                sub.forgive()
                sub.in_topology = None  # if it is missing there, it is to be added
                self._rest_now(sub)
        self.error = None
        self._topology_known = False
        self._paused_until = -math.inf
        self._changed.set()

    def drop(self, identity: Identity) -> None:
        """Forget a sub-device after logging it out; it stays in the topology."""
        sub = self.sub_devices.pop(identity, None)
        if sub and sub.state is SubDeviceState.ONLINE:
            self._dropped.append(sub)
            self._changed.set()

    async def remove(self, identities: Iterable[Identity]) -> dict[Identity, SubDeviceError]:
        """Remove sub-devices from the topology and forget them; return those that are refused, with the reason.

        Those that are not in the topology count as removed. Raises NotConnected and RequestTimeout; then the rest is still
        there.
        """
        subs = [sub for identity in identities if (sub := self.sub_devices.get(identity))]
        failed: dict[Identity, SubDeviceError] = {}

        def removed(done: Iterable[SubDevice]) -> None:
            for sub in done:
                self._end_session(sub)
                present = self.sub_devices.get(sub.identity)
                if present is sub:
                    del self.sub_devices[sub.identity]
                elif present:  # put again meanwhile
                    self._end_session(present)
                    present.in_topology = False
                    self._set(present, present.resting)
                    self._changed.set()

        def refused(sub: SubDevice, error: SubDeviceError) -> None:
            if error.code in (6100, NOT_IN_TOPOLOGY, DELETED):
                removed([sub])
            else:
                failed[sub.identity] = error

        for sub in subs:
            sub.leaving = True
        try:
            await self._in_parts(subs, REQUEST_BATCH, self._ask_to_delete, lambda done, _reply: removed(done), refused)
        finally:
            for sub in subs:
                sub.leaving = False
        return failed

    async def register(self, configs: Iterable[SubDeviceConfig]) -> Registered:
        """Get the secrets of devices; the secrets that they had before are no longer valid.

        The caller stores the secrets before anything else. Raises NotConnected and RequestTimeout, and SubDeviceError when the
        device is no gateway or the platform is busy.
        """
        result = Registered()
        subs = [SubDevice(config.identity, None, config.product_secret, self._clock) for config in configs]
        await self._register(subs, result)
        return result

    async def topology(self) -> frozenset[Identity]:
        """Return the sub-devices in the topology of the gateway; raises as `register`."""
        async with self._one_at_a_time:
            reply = await self._ask(self._topics.topology_get, "thing.topo.get", {})
        if not reply.ok:
            raise sub_device_error(reply.code, reply.message)
        return frozenset(_identities(reply.data))

    async def post_pack(
        self,
        sub_devices: Mapping[Identity, Mapping[str, Sample]],
        own: Mapping[str, Sample] | None = None,
        timeout: float = REPLY_TIMEOUT,
    ) -> Reply:
        """Report values of several sub-devices, and of the gateway itself, in one message (docs/protocol.md §4.4).

        At most `PACK_SUB_DEVICES` and `PACK_PROPERTIES` in all. One failure refuses the whole message. Raises NotConnected,
        RequestTimeout and MessageError.
        """
        return await self._ask(
            self._topics.pack_post,
            "thing.event.property.pack.post",
            pack_params(own or {}, sub_devices),
            qos=1,
            timeout=timeout,
        )

    # What the link says

    def link_changed(self, state: LinkState, _error: ConnectError | None) -> None:
        """Begin on a new connection; all sub-devices are offline without one."""
        if self._task:
            self._task.cancel()
            self._task = None
        if state is LinkState.ONLINE:
            self._topology_known = False
            self._paused_until = -math.inf
            self._failures = 0
            self._dropped.clear()
            self._task = asyncio.get_running_loop().create_task(self._run(), name="Aliyun gateway")
            return
        changed = []
        for sub in self.sub_devices.values():
            if sub.state is SubDeviceState.ONLINE:
                sub.went_offline()
            if self._rest(sub):
                changed.append(sub)
        if changed:
            before = self._reporting
            self._reporting = asyncio.get_running_loop().create_task(self._report_lost(changed, before))

    def link_received(self, delivery: Delivery) -> bool:
        """Take what the cloud says about the sub-devices."""
        topic = delivery.topic
        if topic == self._topics.errors:
            self._session_ended(delivery.payload)
        elif topic in (self._topics.topology_change, self._topics.add_notify):
            self._obey(delivery, lambda params: self._topology_changed(topic, params))
        elif verb := lifecycle_of(topic):
            identity = Identity(*topic.split("/", 4)[2:4])
            if (sub := self.sub_devices.get(identity)) is None:
                return False
            self._obey(delivery, lambda _params: self._treated(sub, _CODE_OF_VERB[verb]))
        else:
            return False
        return True

    def _obey(self, delivery: Delivery, act: Callable[[JsonValue], None]) -> None:
        """Do what the cloud says, and answer."""
        try:
            request = decode_request(delivery.payload)
        except MessageError as err:
            _LOGGER.debug("Cannot read the message on %s: %s", delivery.topic, err)
            if err.id is not None:
                self._link.answer(reply_topic(delivery.topic), encode_reply(err.id, err.code, {}, err.problem))
            return
        act(request.params)
        self._link.answer(reply_topic(delivery.topic), encode_reply(request.id, Code.SUCCESS, {}))

    def _topology_changed(self, topic: str, params: JsonValue) -> None:
        status: JsonValue = _CREATED
        names = params
        if topic == self._topics.topology_change:
            status, names = (params.get("status"), params.get("subList")) if isinstance(params, dict) else (None, None)
        for sub in self._named(names):
            if topic == self._topics.add_notify:
                if sub.in_topology is not True:
                    sub.in_topology = False
                    self._pardon(sub)
            elif status == _CREATED:
                sub.in_topology = True
                self._pardon(sub)
            elif status == _REMOVED:
                self._treated(sub, 6401)
            elif status == _ENABLED:
                self._treated(sub, 0)
            elif status == _DISABLED:
                self._treated(sub, 522)

    def _treated(self, sub: SubDevice, code: int) -> None:
        """Record what was done to a sub-device in the cloud; 0 means that it was enabled."""
        if code:
            self._fail(sub, sub_device_error(code))
        elif sub.state is SubDeviceState.DISABLED:
            self._pardon(sub)

    def _session_ended(self, payload: bytes) -> None:
        """Take a message on `/ext/error`: a sub-device has gone offline, or a message for it was refused as it was offline."""
        try:
            report = decode_reply(payload)
        except MessageError as err:
            _LOGGER.debug("Cannot read the message about a session: %s", err)
            return
        for sub in () if report.ok else self._named(report.data):
            if sub.state is SubDeviceState.REMOVED and report.code != DELETED:
                continue  # what the other gateway does with it is another matter
            if report.code != NO_SESSION:
                self._fail(sub, sub_device_error(report.code, report.message))
            elif sub.state is SubDeviceState.ONLINE:
                self._end_session(sub, lost=True)
                sub.lost_session(self._jitter())
                self._set(sub, sub.resting)
                self._changed.set()

    def _named(self, data: JsonValue) -> list[SubDevice]:
        return [sub for identity in _identities(data) if (sub := self.sub_devices.get(identity))]

    # What is done about it

    async def _run(self) -> None:
        if self._reporting:
            await asyncio.wait([self._reporting])
        for sub in list(self.sub_devices.values()):
            sub.reconnected()
            if self._rest(sub):
                self._report(sub)
                await asyncio.sleep(0)
        await asyncio.sleep(RECONNECT_SPREAD * self._jitter())
        await self._link.subscribe()
        while True:
            self._changed.clear()
            try:
                delay = await self._step()
            except NotConnected:  # the link will say so
                return
            except Exception:
                _LOGGER.exception("The gateway failed unexpectedly")
                delay = self._pause()
            if delay > 0:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(None if delay == math.inf else delay):
                        await self._changed.wait()

    async def _step(self) -> float:
        """Do one thing that is due, and return the seconds until another one is; 0 if that is not known."""
        if (rest := self._paused_until - self._clock()) > 0:
            return rest
        try:
            done = await self._do_one_thing()
        except Unanswered:
            self._refuse_all(NotAGateway(404, "the host does not answer requests about sub-devices"))
            return self._pause()
        except RequestTimeout as err:
            _LOGGER.debug("A request about sub-devices was not answered: %s", err)
            return self._pause()
        except SubDeviceError as err:
            _LOGGER.debug("A request about sub-devices was refused: %s", err)
            if isinstance(err, NotAGateway):
                self._refuse_all(err)
            return self._pause()
        if done:
            self._failures = 0
            return 0.0
        return max(self._next_due(), SHORTEST_DELAY)

    def _pause(self) -> float:
        delay = doubled(FIRST_PAUSE, self._failures, LONGEST_PAUSE) * (0.75 + 0.5 * self._jitter())
        self._failures += 1
        self._paused_until = self._clock() + delay
        return delay

    def _refuse_all(self, error: NotAGateway) -> None:
        """Give all sub-devices up for now: the device is no gateway."""
        self.error = error
        for sub in self.sub_devices.values():
            self._fail(sub, error)

    def _next_due(self) -> float:
        """Return the seconds until something has to be done."""
        dues = (
            sub.delay() if sub.secret is None or sub.in_topology is False else sub.login_delay()
            for sub in self.sub_devices.values()
            if sub.secret is None or sub.in_topology is False or (sub.wanted and sub.state is not SubDeviceState.ONLINE)
        )
        return min(dues, default=math.inf)

    async def _do_one_thing(self) -> bool:
        """Do the most urgent thing that is due; return False if there is none."""
        online = SubDeviceState.ONLINE
        subs = self.sub_devices.values()
        if leaving := [*self._dropped, *(sub for sub in subs if sub.state is online and not sub.wanted)]:
            await self._log_out(leaving[: self._login_batch])
        elif not any(sub.delay() <= 0 for sub in subs if sub.state is not online):
            return False
        elif not self._topology_known:
            await self._get_topology()
        elif unregistered := [sub for sub in subs if sub.secret is None and sub.delay() <= 0]:
            await self._register_and_store(unregistered[:REQUEST_BATCH])
        elif missing := [sub for sub in subs if sub.in_topology is False and sub.secret and sub.delay() <= 0]:
            await self._add(missing[:REQUEST_BATCH])
        elif batch := self._next_logins():
            await self._log_in(batch)
        else:
            return False
        return True

    async def _get_topology(self) -> None:
        try:
            present = await self.topology()
        except Unanswered:  # a login shows what is missing
            self._topology_known = True
            return
        self._topology_known = True
        self.error = None
        for sub in list(self.sub_devices.values()):
            if sub.identity in present:
                sub.in_topology = True
                if sub.state is SubDeviceState.REMOVED:
                    self._pardon(sub)
            elif sub.in_topology:
                self._fail(sub, sub_device_error(6401))
            else:
                sub.in_topology = False

    async def _register_and_store(self, subs: list[SubDevice]) -> None:
        result = Registered()
        try:
            await self._register(subs, result)
        finally:  # each secret that the cloud has made replaces the one before, so it is never lost
            if result.secrets:
                await self._store(result)
        for sub in subs:
            if error := result.refused.get(sub.identity):
                self._fail(sub, error)

    async def _store(self, result: Registered) -> None:
        try:
            await self._store_secrets(result.secrets)
        except Exception as err:  # noqa: BLE001 - whatever the owner raises, and its text may have a secret
            _LOGGER.error("The secrets of new sub-devices can't be stored: %s", type(err).__name__)  # noqa: TRY400
            failure = SubDeviceError(Code.INTERNAL_ERROR, "the secret can't be stored")
            result.refused.update(dict.fromkeys(result.secrets, failure))
            return
        for identity, secret in result.secrets.items():
            if sub := self.sub_devices.get(identity):
                sub.secret = secret
                self._pardon(sub)

    async def _register(self, subs: Iterable[SubDevice], result: Registered) -> None:
        """Register, and add to `result` at once what is known."""

        def registered(part: tuple[SubDevice, ...], reply: Reply) -> None:
            found, refused = _read_secrets(reply.data)
            for sub in part:
                if secret := found.get(sub.identity):
                    result.secrets[sub.identity] = secret
                else:
                    result.refused[sub.identity] = refused.get(sub.identity) or SubDeviceError(
                        Code.INTERNAL_ERROR, "the reply has no valid secret"
                    )

        def refused(sub: SubDevice, error: SubDeviceError) -> None:
            result.refused[sub.identity] = error

        by_name = [sub for sub in subs if sub.product_secret is None]
        by_product = [sub for sub in subs if sub.product_secret is not None]
        await self._in_parts(by_name, REQUEST_BATCH, self._ask_to_register, registered, refused)
        await self._in_parts(by_product, REQUEST_BATCH, self._ask_to_register_by_product, registered, refused)

    async def _add(self, subs: list[SubDevice]) -> None:
        def added(part: tuple[SubDevice, ...], _reply: Reply) -> None:
            for sub in part:
                sub.in_topology = True
                self._pardon(sub)

        await self._in_parts(subs, REQUEST_BATCH, self._ask_to_add, added, self._fail)

    def _next_logins(self) -> tuple[SubDevice, ...]:
        """Return the next batch: those that have failed before are only tried with each other, after the others."""
        due = [
            sub
            for sub in self.sub_devices.values()
            if sub.wanted and sub.secret and sub.state is not SubDeviceState.ONLINE and sub.login_delay() <= 0
        ]
        together = max((sub.together for sub in due), default=0)
        return tuple([sub for sub in due if sub.together == together][: min(together, self._login_batch)])

    async def _log_in(self, batch: tuple[SubDevice, ...]) -> None:
        await asyncio.sleep(self._next_login - self._clock())
        self._next_login = self._clock() + len(batch) / LOGINS_PER_SECOND
        for sub in batch:
            sub.pacer.connected()
        timestamp = str(utc_milliseconds())
        entries: list[JsonValue] = [
            {**self._entry(sub, timestamp, "signMethod"), "cleanSession": "true"} for sub in batch
        ]
        async with self._one_at_a_time:
            reply = await self._ask(self._topics.login, "combine.batch_login", {"deviceList": entries})
        if not reply.ok:
            self._logins_refused(batch, reply)
            return
        online = [sub for sub in batch if self.sub_devices.get(sub.identity) is sub]
        self._dropped += [sub for sub in batch if sub not in online]
        for sub in online:
            sub.came_online()
            sub.in_topology = True
            sub.state, sub.since = SubDeviceState.ONLINE, utc_milliseconds()
        await self._link.logged_in(sub.identity for sub in online)
        for sub in online:
            if sub.state is SubDeviceState.ONLINE:  # it may have been logged out meanwhile
                self._report(sub)
                await asyncio.sleep(0)  # its owner has much to do now

    def _logins_refused(self, batch: tuple[SubDevice, ...], reply: Reply) -> None:
        if reply.code == Code.PARAMETER_ERROR and len(batch) > OLD_LOGIN_BATCH and not _identities(reply.data):
            self._login_batch = OLD_LOGIN_BATCH  # an instance of 2020 takes no more
            return
        culprits, size = _judge(batch, reply)
        error = sub_device_error(reply.code, reply.message)
        for sub in batch:
            if sub not in culprits:
                sub.together = min(sub.together, size)
            elif reply.code == NOT_IN_TOPOLOGY and sub.in_topology is None:
                sub.in_topology = False  # the host does not tell the topology
            else:
                self._fail(sub, error)

    async def _log_out(self, subs: list[SubDevice]) -> None:
        def logged_out(part: Iterable[SubDevice]) -> None:
            for sub in part:
                if sub in self._dropped:
                    self._dropped.remove(sub)
                self._end_session(sub)
                self._set(sub, sub.resting)

        await self._in_parts(
            subs,
            self._login_batch,
            self._ask_to_log_out,
            lambda done, _reply: logged_out(done),
            lambda sub, _error: logged_out([sub]),  # it has no session
        )

    async def _in_parts(
        self,
        subs: Iterable[SubDevice],
        size: int,
        send: _Send,
        on_done: Callable[[tuple[SubDevice, ...], Reply], None],
        on_refused: Callable[[SubDevice, SubDeviceError], None],
    ) -> None:
        """Send a request about sub-devices in batches, and divide what is refused until the culprits are known."""
        parts = list(batched(subs, size, strict=False))
        while parts:
            part = parts.pop(0)
            async with self._one_at_a_time:
                reply = await send(part)
            if reply.ok:
                on_done(part, reply)
                continue
            culprits, smaller = _judge(part, reply)
            for sub in culprits:
                on_refused(sub, sub_device_error(reply.code, reply.message))
            parts += batched([sub for sub in part if sub not in culprits], smaller, strict=False)

    def _entry(self, sub: SubDevice, timestamp: str, method_field: str) -> dict[str, str]:
        """Return the signed entry of a sub-device; `_ss=1` has the platform make its subscriptions (docs/protocol.md §0.5)."""
        parameters = "|_ss=1|" if self._link.config.host.subscribes else "||"
        client_id = f"{sub.identity.product_key}.{sub.identity.device_name}{parameters}"
        return sub_device_entry(sub.triple, client_id, timestamp, self._sign_method, method_field)

    async def _ask_to_add(self, subs: tuple[SubDevice, ...]) -> Reply:
        timestamp = str(utc_milliseconds())
        params: JsonValue = [{**self._entry(sub, timestamp, "signmethod")} for sub in subs]
        return await self._ask(self._topics.topology_add, "thing.topo.add", params)

    async def _ask_to_delete(self, subs: tuple[SubDevice, ...]) -> Reply:
        return await self._ask(self._topics.topology_delete, "thing.topo.delete", _names(subs))

    async def _ask_to_log_out(self, subs: tuple[SubDevice, ...]) -> Reply:
        return await self._ask(self._topics.logout, "combine.batch_logout", _names(subs))

    async def _ask_to_register(self, subs: tuple[SubDevice, ...]) -> Reply:
        return await self._ask(self._topics.register, "thing.sub.register", _names(subs))

    async def _ask_to_register_by_product(self, subs: tuple[SubDevice, ...]) -> Reply:
        proxied: list[JsonValue] = [
            {**registration_entry(sub.identity, sub.product_secret or "", random_texts.token_hex(8), self._sign_method)}
            for sub in subs
        ]
        return await self._ask(
            self._topics.product_register, "thing.proxy.provisioning.product_register", {"proxieds": proxied}
        )

    async def _ask(
        self, topic: str, method: str, params: JsonValue, *, qos: int = 0, timeout: float | None = None
    ) -> Reply:
        """Send a request; codes of its reply are not about the gateway, so nobody else is told of them.

        All but values pass what waits: the first hundred sub-devices would hold up the login of the others with their values.
        """
        return await self._link.session.request(
            topic,
            method,
            params,
            qos=qos,
            timeout=timeout or REPLY_TIMEOUT,
            first=topic != self._topics.pack_post,
            on_code=lambda _code: None,
        )

    # States

    def _fail(self, sub: SubDevice, error: SubDeviceError) -> None:
        self._end_session(sub, lost=True)
        if error.code == NOT_IN_TOPOLOGY:
            sub.in_topology = False
        sub.fail(error, self._jitter())
        self._set(sub, sub.state_after_error(), always=True)
        self._changed.set()  # its next try may be the only thing that is to be done

    def _pardon(self, sub: SubDevice) -> None:
        """Try again after an error whose cause is gone."""
        if sub.state is not SubDeviceState.ONLINE:
            sub.forgive()
            self._rest_now(sub)
            self._changed.set()

    def _rest(self, sub: SubDevice) -> bool:
        """Set the state that follows from what is wanted, without a report; return whether it has changed."""
        if sub.error is not None:
            return False
        waits = sub.secret is None or self._link.is_online
        state = sub.resting if waits else SubDeviceState.OFFLINE
        if state is sub.state:
            return False
        sub.state, sub.since = state, utc_milliseconds()
        return True

    def _rest_now(self, sub: SubDevice) -> None:
        if self._rest(sub):
            self._report(sub)

    async def _report_lost(self, subs: Iterable[SubDevice], before: asyncio.Task[None] | None) -> None:
        """Report that sub-devices are offline; thousands at once would hold up everything else."""
        if before:
            await asyncio.wait([before])
        for sub in subs:
            self._report(sub)
            await asyncio.sleep(0)

    def _end_session(self, sub: SubDevice, *, lost: bool = False) -> None:
        if sub.state is SubDeviceState.ONLINE:
            sub.went_offline()
            self._link.logged_out(sub.identity, lost=lost)

    def _set(self, sub: SubDevice, state: SubDeviceState, *, always: bool = False) -> None:
        if state is not sub.state:
            sub.state, sub.since = state, utc_milliseconds()
        elif not always:
            return
        self._report(sub)

    def _report(self, sub: SubDevice) -> None:
        if self.sub_devices.get(sub.identity) is not sub:
            return
        try:
            self._on_change(sub)
        except Exception:  # an error in the callback must not end the gateway
            _LOGGER.exception("Cannot report that %s is %s", sub.identity.device_name, sub.state)

    async def _end_task(self) -> None:
        if task := self._task:
            self._task = None
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _judge(part: tuple[SubDevice, ...], reply: Reply) -> tuple[list[SubDevice], int]:
    """Return for which sub-devices a batch was refused, and in batches of which size the others are tried again.

    Raises SubDeviceError when none of them is the cause. A host that names all of them need not mean each.
    """
    named = set(_identities(reply.data))
    culprits = [sub for sub in part if sub.identity in named]
    if 0 < len(culprits) < len(part):
        return culprits, len(part)
    error = sub_device_error(reply.code, reply.message)
    if reply.code in _BUSY or isinstance(error, NotAGateway):
        raise error
    return (list(part), 1) if len(part) == 1 else ([], math.ceil(len(part) / PARTS))


def _names(subs: Iterable[SubDevice]) -> list[JsonValue]:
    return [wire_identity(sub.identity) for sub in subs]


def _identities(data: JsonValue) -> list[Identity]:
    """Return the devices that are named in an object or an array; what has another shape is left out."""
    found = []
    for entry in data if isinstance(data, list) else [data]:
        match entry:
            case {"productKey": str(product_key), "deviceName": str(device_name)}:
                found.append(Identity(product_key, device_name))
    return found


def _read_secrets(data: JsonValue) -> tuple[dict[Identity, str], dict[Identity, SubDeviceError]]:
    """Return the secrets in the reply to a registration, and why some devices have none.

    An array of devices with secrets, or an object with two arrays, `successes` and `failures` (docs/protocol.md §10.2).
    """
    successes, failures = data, None
    if isinstance(data, dict):
        successes, failures = data.get("successes"), data.get("failures")
    found: dict[Identity, str] = {}
    for entry in successes if isinstance(successes, list) else ():
        match entry:
            case {"productKey": str(product_key), "deviceName": str(device_name), "deviceSecret": str(secret)}:
                with contextlib.suppress(TripleInvalid):
                    triple = DeviceTriple.parse(product_key, device_name, secret)
                    found[triple.identity] = triple.device_secret
    refused: dict[Identity, SubDeviceError] = {}
    for entry in failures if isinstance(failures, list) else ():
        match entry:
            case {"productKey": str(product_key), "deviceName": str(device_name), "code": code, **others}:
                message = others.get("message")
                number = to_whole(code) or Code.INTERNAL_ERROR
                error = sub_device_error(number, message if isinstance(message, str) else "")
                refused[Identity(product_key, device_name)] = error
    return found, refused
