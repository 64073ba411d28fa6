"""One call of the API, and the devices and products that it names."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ..core.device import CloudDevice
from ..core.jsontext import JsonValue
from ..core.platform import Platform
from ..core.product import Product
from .errors import BAD_PARAMETER, NO_SUCH_DEVICE, NO_SUCH_PRODUCT, ApiError, missing
from .fields import Fields

type Answer = dict[str, JsonValue]
type Action = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Call:
    """The fields of a call, and the platform it works on."""

    platform: Platform
    fields: Fields

    def product(self) -> Product:
        """Return the product of `ProductKey`; raise ApiError."""
        if (product := self.platform.registry.products.get(self.fields.text("ProductKey"))) is None:
            raise ApiError(NO_SUCH_PRODUCT)
        return product

    def device(self, prefix: str = "") -> CloudDevice:
        """Return the device of `IotId`, or of `ProductKey` and `DeviceName`; raise ApiError.

        With the prefix `Gw`, the fields are those of a gateway: `GwIotId`, `GwProductKey`, `GwDeviceName`.
        """
        registry = self.platform.registry
        if (iot_id := self.fields.optional_text(f"{prefix}IotId")) is not None:
            device = next((device for device in registry.devices.values() if device.iot_id == iot_id), None)
            if device is None:
                raise ApiError(NO_SUCH_DEVICE)
            return device
        key = self.fields.text(f"{prefix}ProductKey"), self.fields.text(f"{prefix}DeviceName")
        return self.named(key)

    def devices(self, limit: int) -> list[CloudDevice]:
        """Return those of the devices `DeviceName.N` of the product that exist, at most `limit`; raise ApiError."""
        return [device for device in self._listed(limit) if device is not None]

    def existing_devices(self, limit: int) -> list[CloudDevice]:
        """Return the devices `DeviceName.N` of the product, all of which must exist; raise ApiError."""
        listed = self._listed(limit)
        devices = [device for device in listed if device is not None]
        if len(devices) < len(listed):
            raise ApiError(NO_SUCH_DEVICE)
        return devices

    def _listed(self, limit: int) -> list[CloudDevice | None]:
        product, names = self.product(), self.fields.texts("DeviceName")
        if not names:
            raise missing("DeviceName")
        if len(names) > limit:
            raise ApiError(BAD_PARAMETER, f"DeviceName has 1 to {limit} names.")
        return [self.platform.registry.devices.get((product.key, name)) for name in dict.fromkeys(names)]

    def named(self, key: tuple[str, str]) -> CloudDevice:
        """Return a device by its product key and device name; raise ApiError."""
        if (device := self.platform.registry.devices.get(key)) is not None:
            return device
        raise ApiError(NO_SUCH_DEVICE if key[0] in self.platform.registry.products else NO_SUCH_PRODUCT)
