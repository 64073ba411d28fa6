"""What a gateway asks of the cloud about its sub-devices (docs/protocol.md §10); `gateway.py` decides what and when.

Requests about the topology, registration and logins go one after another. One about several sub-devices succeeds for all of
them or for none. If it fails, it is repeated without those that the cloud names as the culprits, or in parts when it names
none or all of them, until the culprits are alone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
import contextlib
from dataclasses import dataclass, field
from itertools import batched
import math
import secrets as random_texts
from typing import Final

from .auth import DeviceTriple, Identity, SignMethod, registration_entry, sub_device_entry
from .codes import Code
from .device import REPLY_TIMEOUT
from .errors import NotAGateway, SubDeviceError, TripleInvalid
from .link import Link
from .messages import JsonValue, Reply
from .model.numeric import to_whole
from .samples import Sample, pack_params, utc_milliseconds, wire_identity
from .sub_device import SubDevice, sub_device_error
from .topics import GatewayTopics

REQUEST_BATCH: Final = 30
"""Sub-devices in one request about the topology or registration (docs/protocol.md §10.4)."""

PARTS: Final = 4
"""Into how many parts a failed batch is divided. With halves, an innocent neighbour of the culprit would be logged in six
times, but the platform allows five times a minute."""

PACK_SUB_DEVICES: Final = 20
PACK_PROPERTIES: Final = 200
"""Limits of a pack post (docs/protocol.md §4.4)."""

NO_SESSION: Final = 520

_BUSY: Final = frozenset({Code.TOO_BUSY, 403, 500, NO_SESSION, 6313, 6760})
"""Codes that are about the gateway or the platform, unless they name some of the sub-devices."""

type OnDone = Callable[[tuple[SubDevice, ...], Reply], None]
type OnRefused = Callable[[SubDevice, SubDeviceError], None]
type _Send = Callable[[tuple[SubDevice, ...]], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Registered:
    """The result of a registration: the secrets, and why some devices have none."""

    secrets: dict[Identity, str] = field(default_factory=dict, repr=False)
    refused: dict[Identity, SubDeviceError] = field(default_factory=dict)


class GatewayRequests:
    """The requests of one gateway.

    All raise NotConnected, and RequestTimeout without a reply. Those about several sub-devices report each of them to
    `on_done` or `on_refused`; they raise SubDeviceError when the device is no gateway or the platform is busy, and what was
    not reported until then is as it was.
    """

    def __init__(self, link: Link, topics: GatewayTopics, sign_method: SignMethod) -> None:
        """`sign_method` is for the logins and registrations of the sub-devices."""
        self._link = link
        self._topics = topics
        self._sign_method = sign_method
        self._one_at_a_time = asyncio.Lock()

    async def topology(self) -> frozenset[Identity]:
        """Return the sub-devices in the topology of the gateway; raises SubDeviceError when the cloud does not tell."""
        async with self._one_at_a_time:
            reply = await self._ask(self._topics.topology_get, "thing.topo.get", {})
        if not reply.ok:
            raise sub_device_error(reply.code, reply.message)
        return frozenset(named_in(reply.data))

    async def add(self, subs: Iterable[SubDevice], on_done: OnDone, on_refused: OnRefused) -> None:
        """Add sub-devices to the topology; they need their secrets."""

        async def send(part: tuple[SubDevice, ...]) -> Reply:
            timestamp = str(utc_milliseconds())
            params: JsonValue = [{**self._entry(sub, timestamp, "signmethod")} for sub in part]
            return await self._ask(self._topics.topology_add, "thing.topo.add", params)

        await self._in_parts(subs, REQUEST_BATCH, send, on_done, on_refused)

    async def delete(self, subs: Iterable[SubDevice], on_done: OnDone, on_refused: OnRefused) -> None:
        """Remove sub-devices from the topology."""

        async def send(part: tuple[SubDevice, ...]) -> Reply:
            return await self._ask(self._topics.topology_delete, "thing.topo.delete", _names(part))

        await self._in_parts(subs, REQUEST_BATCH, send, on_done, on_refused)

    async def register(self, subs: Iterable[SubDevice], result: Registered) -> None:
        """Get the secrets of devices, and add to `result` at once what is known.

        Those with a product secret are registered with it, the others by name. Each secret replaces the one that the device
        had, so the caller stores what `result` has whatever this raises.
        """

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

        async def by_name(part: tuple[SubDevice, ...]) -> Reply:
            return await self._ask(self._topics.register, "thing.sub.register", _names(part))

        async def by_product(part: tuple[SubDevice, ...]) -> Reply:
            entries: list[JsonValue] = [
                {
                    **registration_entry(
                        sub.identity, sub.product_secret or "", random_texts.token_hex(8), self._sign_method
                    )
                }
                for sub in part
            ]
            method = "thing.proxy.provisioning.product_register"
            return await self._ask(self._topics.product_register, method, {"proxieds": entries})

        subs = list(subs)
        for send, part in (
            (by_name, [sub for sub in subs if sub.product_secret is None]),
            (by_product, [sub for sub in subs if sub.product_secret is not None]),
        ):
            await self._in_parts(part, REQUEST_BATCH, send, registered, refused)

    async def log_in(self, batch: tuple[SubDevice, ...]) -> Reply:
        """Log sub-devices in, and return the cloud's reply for all of them; they need their secrets."""
        timestamp = str(utc_milliseconds())
        entries: list[JsonValue] = [
            {**self._entry(sub, timestamp, "signMethod"), "cleanSession": "true"} for sub in batch
        ]
        async with self._one_at_a_time:
            return await self._ask(self._topics.login, "combine.batch_login", {"deviceList": entries})

    async def log_out(self, subs: Iterable[SubDevice], size: int, on_done: OnDone, on_refused: OnRefused) -> None:
        """Log sub-devices out, at most `size` with one message."""

        async def send(part: tuple[SubDevice, ...]) -> Reply:
            return await self._ask(self._topics.logout, "combine.batch_logout", _names(part))

        await self._in_parts(subs, size, send, on_done, on_refused)

    async def post_pack(
        self,
        sub_devices: Mapping[Identity, Mapping[str, Sample]],
        own: Mapping[str, Sample] | None = None,
        timeout: float = REPLY_TIMEOUT,
    ) -> Reply:
        """Report values of several sub-devices, and of the gateway itself, in one message (docs/protocol.md §4.4).

        At most `PACK_SUB_DEVICES` and `PACK_PROPERTIES` in all. One failure refuses the whole message. Raises MessageError
        as well.
        """
        return await self._ask(
            self._topics.pack_post,
            "thing.event.property.pack.post",
            pack_params(own or {}, sub_devices),
            qos=1,
            timeout=timeout,
        )

    async def _in_parts(
        self, subs: Iterable[SubDevice], size: int, send: _Send, on_done: OnDone, on_refused: OnRefused
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
            culprits, smaller = judge(part, reply)
            for sub in culprits:
                on_refused(sub, sub_device_error(reply.code, reply.message))
            parts += batched([sub for sub in part if sub not in culprits], smaller, strict=False)

    def _entry(self, sub: SubDevice, timestamp: str, method_field: str) -> dict[str, str]:
        """Return the signed entry of a sub-device; `_ss=1` has the platform make its subscriptions (docs/protocol.md §0.5)."""
        parameters = "|_ss=1|" if self._link.config.host.subscribes else "||"
        client_id = f"{sub.identity.product_key}.{sub.identity.device_name}{parameters}"
        return sub_device_entry(sub.triple, client_id, timestamp, self._sign_method, method_field)

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


def judge(part: tuple[SubDevice, ...], reply: Reply) -> tuple[list[SubDevice], int]:
    """Return for which sub-devices a batch was refused, and in batches of which size the others are tried again.

    Raises SubDeviceError when none of them is the cause. A host that names all of them need not mean each.
    """
    named = set(named_in(reply.data))
    culprits = [sub for sub in part if sub.identity in named]
    if 0 < len(culprits) < len(part):
        return culprits, len(part)
    error = sub_device_error(reply.code, reply.message)
    if reply.code in _BUSY or isinstance(error, NotAGateway):
        raise error
    return (list(part), 1) if len(part) == 1 else ([], math.ceil(len(part) / PARTS))


def _names(subs: Iterable[SubDevice]) -> list[JsonValue]:
    return [wire_identity(sub.identity) for sub in subs]


def named_in(data: JsonValue) -> list[Identity]:
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
