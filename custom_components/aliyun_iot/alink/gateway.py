"""A gateway: keeps its sub-devices registered, in its topology and logged in as they should be (docs/protocol.md §10).

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
    await gateway.requests.post_pack({identity: {key: Sample}})   # one message for up to 20 sub-devices and 200 values
    await gateway.stop()                             # before link.stop(); logs out within two seconds
    await link.detach(identity)                      # gives up the commands of a sub-device

`put` and `want` only write down what should be; a task brings it about, with one request under way at a time: it asks for the
topology, registers what lacks a secret, adds what is not in the topology, and logs in and out. `on_change` is called with
each `SubDevice` whose `state` or `error` has changed. After a reconnect everything happens again, spread over a second or so.

`Device.is_online` of an attached sub-device says whether it can send; every method of it raises NotConnected otherwise.

`store_secrets` gets the secrets of sub-devices that were registered before they are used, since the cloud has replaced the
earlier ones; an exception of it counts as a failed registration.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
import contextlib
import math
import random
import time
from typing import Final

from .auth import Identity, SignMethod
from .codes import Code
from .errors import ConnectError, MessageError, NotAGateway, NotConnected, RequestTimeout, SubDeviceError, Unanswered
from .foreign import logger_of
from .gateway_requests import NO_SESSION, REQUEST_BATCH, GatewayRequests, Registered, judge, named_in
from .link import Link, LinkState
from .messages import JsonValue, Reply, decode_reply, decode_request, encode_reply
from .mqtt.pacing import doubled
from .mqtt.transport import Delivery
from .samples import utc_milliseconds
from .sub_device import MAX_LOGIN_BATCH, SubDevice, SubDeviceConfig, SubDeviceState, sub_device_error
from .topics import LIFECYCLE, GatewayTopics, lifecycle_of, reply_topic

_LOGGER = logger_of(__name__)

OLD_LOGIN_BATCH: Final = 5
"""Sub-devices in one login or logout that instances of 2020 allow."""

LOGINS_PER_SECOND: Final = 150
"""The platform allows 200 for a gateway (docs/protocol.md §10.4)."""

RECONNECT_SPREAD: Final = 1.0
"""Seconds over which the beginning is spread after a reconnect: a restart of the cloud disconnects all gateways at once."""

FIRST_PAUSE: Final = 2.0
LONGEST_PAUSE: Final = 60.0
"""Seconds after a request that failed for a reason that is not about a sub-device."""

HELD_UP: Final = 3
"""Requests in a row that were refused for all, after which the sub-devices that wait say so."""

LOGOUT_TIME: Final = 2.0
"""Seconds for the logout when the gateway stops; the end of the connection logs out as well."""

SHORTEST_DELAY: Final = 0.01
"""Seconds to wait when nothing is due, since a timer may end early."""

DELETED: Final = 521
NOT_IN_TOPOLOGY: Final = 6401

_CREATED, _REMOVED, _ENABLED, _DISABLED = 0, 1, 2, 8
"""Values of `status` in a change of the topology (docs/protocol.md §10.1)."""

_CODE_OF_VERB: Final[Mapping[str, int]] = dict(zip(LIFECYCLE, (522, 0, DELETED), strict=True))

type ChangeHandler = Callable[[SubDevice], None]
type SecretStore = Callable[[Mapping[Identity, str]], Awaitable[None]]


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
        self.requests = GatewayRequests(link, self._topics, sign_method)
        """For what is no matter of a single sub-device, such as a pack of values."""
        self._on_change = on_change
        self._store_secrets = store_secrets
        self._login_batch = login_batch
        self._jitter = jitter
        self._clock = clock
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._dropped: list[SubDevice] = []
        self._reporting: asyncio.Task[None] | None = None
        self._unlisten: Callable[[], None] | None = None
        self._topology_known = False
        self._paused_until = -math.inf
        self._failures = 0
        self._held_up_by: SubDeviceError | None = None
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
            await self.requests.delete(subs, lambda done, _reply: removed(done), refused)
        finally:
            for sub in subs:
                sub.leaving = False
        return failed

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
        return [sub for identity in named_in(data) if (sub := self.sub_devices.get(identity))]

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
            elif self._failures + 1 >= HELD_UP:
                await self._hold_up(err)
            return self._pause()
        if done:
            self._failures = 0
            await self._go_on()
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

    async def _hold_up(self, error: SubDeviceError) -> None:
        """Let the sub-devices that wait show why: the cloud refuses them all, although none is the cause."""
        self._held_up_by = error = self._held_up_by or SubDeviceError(error.code, error.message)  # it is not about them
        for sub in list(self.sub_devices.values()):
            if sub.error is None and sub.state in (SubDeviceState.UNREGISTERED, SubDeviceState.WAITING):
                sub.error = error
                self._set(sub, sub.state_after_error())
                await asyncio.sleep(0)

    async def _go_on(self) -> None:
        """Let them wait without a reason again."""
        error, self._held_up_by = self._held_up_by, None
        for sub in list(self.sub_devices.values()) if error else ():
            if sub.error is error:
                sub.error = None
                self._rest_now(sub)
                await asyncio.sleep(0)

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
            present = await self.requests.topology()
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
            await self.requests.register(subs, result)
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

    async def _add(self, subs: list[SubDevice]) -> None:
        def added(part: tuple[SubDevice, ...], _reply: Reply) -> None:
            for sub in part:
                sub.in_topology = True
                self._pardon(sub)

        await self.requests.add(subs, added, self._fail)

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
        reply = await self.requests.log_in(batch)
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
        if reply.code == Code.PARAMETER_ERROR and len(batch) > OLD_LOGIN_BATCH and not named_in(reply.data):
            self._login_batch = OLD_LOGIN_BATCH  # an instance of 2020 takes no more
            return
        culprits, size = judge(batch, reply)
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

        await self.requests.log_out(
            subs,
            self._login_batch,
            lambda done, _reply: logged_out(done),
            lambda sub, _error: logged_out([sub]),  # it has no session
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
