"""Dynamic registration: a device gets its DeviceSecret with the ProductSecret (docs/protocol.md §11)."""
# ruff: noqa: N818 - named after what happened, as in `errors.py`.

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
import json
import secrets
from typing import ClassVar, Final, Self

from .auth import Credentials, DeviceTriple, SignMethod, sign
from .errors import AlinkError, ClientRejected, CredentialsRefused, TripleInvalid
from .model.numeric import to_whole
from .mqtt.connecting import CONNECT_TIMEOUT, KEEP_ALIVE_RANGE
from .mqtt.endpoint import Endpoint, SecureMode
from .mqtt.transport import Delivery, open_connection

PATH: Final = "/auth/register/device"
"""Of the HTTPS service."""

_ANSWER_TOPIC: Final = "/ext/register"

type PostForm = Callable[[Mapping[str, str]], Awaitable[bytes]]
"""Posts a form to the HTTPS service and returns the body of the answer; raises a ConnectError."""


class RegistrationError(AlinkError):
    """The device did not get a secret; the subclass says why. `key` is the translation key of the error."""

    key: ClassVar[str]

    def __init_subclass__(cls, key: str) -> None:
        """Set the key."""
        cls.key = key


class RegistrationRefused(RegistrationError, key="registration_refused"):
    """Refused without a reason, as over MQTT (CONNACK 4): any of the subclasses with a code."""


class RegistrationOff(RegistrationError, key="registration_off"):
    """6288: dynamic registration is switched off for the product."""


class AlreadyRegistered(RegistrationError, key="already_registered"):
    """6289: the device has got its secret before, or has been online."""


class ProductSecretWrong(RegistrationError, key="product_secret_wrong"):
    """6600: the signature is wrong."""


class ProductUnknown(RegistrationError, key="product_unknown"):
    """6250: there is no such product."""


class DeviceUnknown(RegistrationError, key="device_unknown"):
    """6100: the product has no such device."""


class RegistrationFailed(RegistrationError, key="registration_failed"):
    """Another code."""


class NotOverMqtt(RegistrationError, key="registration_not_over_mqtt"):
    """CONNACK 1 or 2: the host does not register devices over MQTT."""


class NoAnswer(RegistrationError, key="registration_no_answer"):
    """The registration was accepted, but no secret came; the device may count as registered."""


_REFUSALS: Final[Mapping[int, type[RegistrationError]]] = {
    6100: DeviceUnknown,
    6250: ProductUnknown,
    6288: RegistrationOff,
    6289: AlreadyRegistered,
    6600: ProductSecretWrong,
}


@dataclass(frozen=True, slots=True)
class Applicant:
    """A device that knows only the secret of its product."""

    product_key: str
    device_name: str
    product_secret: str = field(repr=False)

    @classmethod
    def parse(cls, product_key: str, device_name: str, product_secret: str) -> Self:
        """Return an applicant from user input, as `DeviceTriple.parse` does.

        Raises TripleInvalid, whose field is `product_key`, `device_name` or `product_secret`.
        """
        try:
            checked = DeviceTriple.parse(product_key, device_name, product_secret)
        except TripleInvalid as err:
            named = {"device_secret": "product_secret"}
            raise TripleInvalid(named.get(err.field, err.field), err.problem) from None
        return cls(checked.product_key, checked.device_name, checked.device_secret)

    def signature(self, random: str) -> str:
        """Return what proves that the applicant knows the secret."""
        signed = {"deviceName": self.device_name, "productKey": self.product_key, "random": random}
        return sign(self.product_secret, SignMethod.HMACSHA256, signed)


async def register_over_mqtt(
    applicant: Applicant,
    endpoint: Endpoint,
    before_connect: Callable[[], None] = lambda: None,
    timeout: float = CONNECT_TIMEOUT,
) -> DeviceTriple:
    """Register a device that exists in the cloud, and return its triple. The cloud does that once.

    `endpoint` must use TLS; `timeout` (seconds) is for the connection, and again for the answer. `before_connect` is called
    just before CONNECT is sent.

    Raises a RegistrationError or a ConnectError.
    """
    answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def received(delivery: Delivery) -> None:
        if delivery.topic == _ANSWER_TOPIC and not answer.done():
            answer.set_result(delivery.payload)

    random = _random()
    parameters = {
        "securemode": SecureMode.TLS,
        "authType": "register",
        "random": random,
        "signmethod": SignMethod.HMACSHA256,
    }
    credentials = Credentials(
        f"{applicant.product_key}.{applicant.device_name}|{','.join(f'{k}={v}' for k, v in parameters.items())}|",
        f"{applicant.device_name}&{applicant.product_key}",
        applicant.signature(random),
    )
    try:
        connection = await open_connection(
            endpoint,
            credentials,
            keep_alive=KEEP_ALIVE_RANGE.start,
            timeout=timeout,
            on_message=received,
            before_connect=before_connect,
        )
    except CredentialsRefused as err:
        raise RegistrationRefused(str(err)) from None
    except ClientRejected as err:
        raise NotOverMqtt(str(err)) from None
    try:
        await asyncio.wait((answer, connection.lost), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await connection.close()
    if not answer.done():
        raise NoAnswer("the host accepted the registration and sent no secret")
    return _triple(applicant, _object(answer.result()))


async def register_over_https(applicant: Applicant, post: PostForm) -> DeviceTriple:
    """Register a device that exists in the cloud, and return its triple. The cloud does that once.

    Raises a RegistrationError, or what `post` raises.
    """
    random = _random()
    form = {
        "productKey": applicant.product_key,
        "deviceName": applicant.device_name,
        "random": random,
        "sign": applicant.signature(random),
        "signMethod": SignMethod.HMACSHA256.value,
    }
    reply = _object(await post(form))
    code = to_whole(reply.get("code"))
    if code is None:
        raise RegistrationFailed("the answer is not that of the registration service")
    if code != 200:
        raise _REFUSALS.get(code, RegistrationFailed)(f"the cloud refuses the registration with {code}")
    return _triple(applicant, _object(reply.get("data")))


def _random() -> str:
    return str(secrets.randbelow(10**9))


def _object(content: object) -> Mapping[str, object]:
    if isinstance(content, bytes):
        try:
            content = json.loads(content)
        except ValueError, RecursionError:
            content = None
    return content if isinstance(content, dict) else {}


def _triple(applicant: Applicant, answer: Mapping[str, object]) -> DeviceTriple:
    secret = answer.get("deviceSecret")
    with suppress(TripleInvalid):
        if isinstance(secret, str):
            return DeviceTriple.parse(applicant.product_key, applicant.device_name, secret)
    raise NoAnswer("the answer has no DeviceSecret")
