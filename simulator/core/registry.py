"""The products and devices of one simulator."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
import secrets
import string

from .device import CloudDevice, RrpcForm
from .product import NodeType, Product
from .thing_model import ThingModel


class TooManyDevicesError(ValueError):
    """The instance is full."""


class SecretKind(StrEnum):
    """What a secret belongs to, or that a device has signed with one."""

    ACCESS_KEY = "AccessKey"
    DEVICE = "device"
    SIGNATURE = "signature"
    PRODUCT = "product"


@dataclass(frozen=True, slots=True)
class SecretOf:
    """Whose secret it is: the id of an AccessKey, a ProductKey, or `ProductKey/DeviceName`."""

    kind: SecretKind
    owner: str

    def __str__(self) -> str:
        """Return what can be shown."""
        return f"{self.kind} {self.owner}"


class Registry:
    """Finds products and devices by their names."""

    def __init__(self, limit: int | None = None) -> None:
        """Start empty; `limit` is the number of devices in all, None for no limit."""
        self._limit = limit
        self.products: dict[str, Product] = {}
        self.devices: dict[tuple[str, str], CloudDevice] = {}
        self.deleted: set[tuple[str, str]] = set()
        self.secrets: dict[str, SecretOf] = {}
        """All secrets, also those that were replaced or whose owners were deleted."""

    def add_product(self, product: Product) -> Product:
        """Add a product, or replace one that has no devices; raise ValueError for one that has."""
        if any(self.of_product(product.key)):
            raise ValueError(f"the product {product.key} has devices already")
        self.products[product.key] = product
        self.secrets[product.secret] = SecretOf(SecretKind.PRODUCT, product.key)
        return product

    def remove_product(self, product: Product) -> None:
        """Forget a product that has no devices; raise ValueError for one that has."""
        if any(self.of_product(product.key)):
            raise ValueError(f"the product {product.key} has devices")
        del self.products[product.key]

    def product_of(self, product_key: str) -> Product:
        """Return a product; one that does not exist is made, as a gateway that has everything."""
        if product_key not in self.products:
            self.add_product(Product(product_key, new_secret(16), node_type=NodeType.GATEWAY))
        return self.products[product_key]

    def add_device(
        self,
        product_key: str,
        device_name: str,
        device_secret: str,
        thing_model: ThingModel | None = None,
        *,
        raw: bool = False,
        rrpc: RrpcForm = RrpcForm.AUTO,
    ) -> CloudDevice:
        """Create a device; a device with the same name is replaced and its connection closed.

        Raise TooManyDevicesError.
        """
        before = self.devices.get((product_key, device_name))
        if before is None and self._limit is not None and len(self.devices) >= self._limit:
            raise TooManyDevicesError(f"more than {self._limit} devices")
        product = self.product_of(product_key)
        if before is not None:
            self.remove_device(before, "the device was replaced")
        device = CloudDevice(
            product, device_name, device_secret, thing_model or product.thing_model, raw or product.raw, rrpc
        )
        self.devices[device.key] = device
        self.deleted.discard(device.key)
        self._note_secret_of(device)
        return device

    def renew_secret(self, device: CloudDevice) -> str:
        """Give a device another secret and return it."""
        device.device_secret = new_secret()
        self._note_secret_of(device)
        return device.device_secret

    def note_signature(self, device: str, signature: str | None) -> None:
        """Remember the password that a device (`ProductKey/DeviceName`) has connected with."""
        if signature:
            self.secrets.setdefault(signature, SecretOf(SecretKind.SIGNATURE, device))

    def _note_secret_of(self, device: CloudDevice) -> None:
        self.secrets[device.device_secret] = SecretOf(SecretKind.DEVICE, device.name)

    def remove_device(self, device: CloudDevice, reason: str, code: int = 0) -> None:
        """Forget a device and its place in the topology, and close its connection."""
        if device.connection is not None:
            device.connection.close(reason, code=code)
        if device.gateway is not None:
            del device.gateway.sub_devices[device.key]
            device.gateway = None
        for sub_device in device.sub_devices.values():
            sub_device.gateway = None
        device.sub_devices.clear()
        del self.devices[device.key]
        self.deleted.add(device.key)

    def of_product(self, product_key: str) -> Iterator[CloudDevice]:
        """Yield the devices of a product."""
        return (device for (key, _), device in self.devices.items() if key == product_key)

    def find(self, name: str) -> CloudDevice:
        """Return a device by `ProductKey/DeviceName`, or by DeviceName if it is unique; raise KeyError."""
        matching = [device for device in self.devices.values() if name in (device.name, device.device_name)]
        if len(matching) != 1:
            raise KeyError(name)
        return matching[0]


def new_product_key() -> str:
    """Return a key as the platform makes them: `a1` and nine letters and digits."""
    return "a1" + "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(9))


def new_secret(length: int = 32) -> str:
    """Return a secret as the platform makes them: 32 hexadecimal digits for a device, 16 for a product."""
    return secrets.token_hex(length // 2)
