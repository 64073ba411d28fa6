"""Dynamic registration of devices that connect directly, with the secret of their product (docs/protocol.md §11)."""

from dataclasses import dataclass, field

from .device import CloudDevice
from .product import Product
from .registry import Registry, TooManyDevicesError, new_secret
from .signature import is_known_method, is_signed

DEVICES_PER_NAME = 5
"""Physical devices that may register the same name without pre-registration."""


class RegistrationError(Exception):
    """The registration is refused with this code of docs/protocol.md §11.2."""

    def __init__(self, code: int) -> None:
        """Take the code."""
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class RegistrationRequest:
    """Who wants to register, and the signature over it."""

    product_key: str
    device_name: str
    random: str
    method: str
    signature: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Token:
    """What a device without pre-registration gets: its client id, and the password of all its connects."""

    client_id: str
    device_token: str = field(repr=False)


def register(registry: Registry, request: RegistrationRequest) -> CloudDevice:
    """Return the device, which gets its secret for the first and only time; raise RegistrationError.

    The device must exist, and must not have been online. ResetThing allows to register it once more.
    """
    _check(registry, request)
    if (device := registry.devices.get((request.product_key, request.device_name))) is None:
        raise RegistrationError(6100)
    if device.registered or device.activated:
        raise RegistrationError(6289)
    device.registered = True
    return device


def register_unlisted(registry: Registry, request: RegistrationRequest) -> Token:
    """Return a token for a device, which need not exist; raise RegistrationError."""
    product = _check(registry, request)
    device = registry.devices.get((request.product_key, request.device_name))
    if device is None:
        try:
            device = registry.add_device(product.key, request.device_name, new_secret())
        except TooManyDevicesError:
            raise RegistrationError(500) from None
    if len(device.tokens) >= DEVICES_PER_NAME:
        raise RegistrationError(6289)
    token = Token(new_secret(), new_secret())
    device.tokens[token.client_id] = token.device_token
    return token


def _check(registry: Registry, request: RegistrationRequest) -> Product:
    if (product := registry.products.get(request.product_key)) is None:
        raise RegistrationError(6250)
    if not product.dynamic_registration:
        raise RegistrationError(6288)
    if not is_known_method(request.method):
        raise RegistrationError(6292)
    signed = {"deviceName": request.device_name, "productKey": request.product_key, "random": request.random}
    if not is_signed(request.signature, request.method, product.secret, signed):
        raise RegistrationError(6600)
    return product
