"""One call of the API, and the devices and products that it names."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ..core.device import CloudDevice
from ..core.jsontext import JsonValue
from ..core.platform import Platform
from ..core.product import Product
from .errors import NO_SUCH_DEVICE, NO_SUCH_PRODUCT, ApiError
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

    def device(self) -> CloudDevice:
        """Return the device of `ProductKey` and `DeviceName`; raise ApiError."""
        product_key, device_name = self.fields.text("ProductKey"), self.fields.text("DeviceName")
        if (device := self.platform.registry.devices.get((product_key, device_name))) is not None:
            return device
        raise ApiError(NO_SUCH_DEVICE if product_key in self.platform.registry.products else NO_SUCH_PRODUCT)
