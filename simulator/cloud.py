"""The simulator, made of all its parts."""

from collections import deque
from collections.abc import Callable
import ssl
from typing import Self

from .broker import Broker
from .calls import Calls
from .delivery import Delivery
from .device import CloudDevice, RrpcForm
from .faults import Faults
from .http_api import HttpApi
from .jsontext import JsonValue
from .model_rules import check
from .openapi import OpenApi
from .tsl import ThingModel
from .uplink import Uplinks
from .wire import WireLog, WireMessage

SYNC_SERVICE_TIMEOUT = 5.0
"""Seconds, docs/protocol.md §6.4."""


class Simulator:
    """The cloud side of the platform, in this process, on one event loop.

    `port` and `api_port` are the requested ports until start(), then the real ones; 0 requests a free port. `on_wire` is
    called with each message as it is recorded, so it should be quick. `strict_model` refuses thing models that the console
    would refuse. `service_timeout` (seconds) and `downlink_qos` are for tests that cannot wait, or that need PUBACKs.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        api_port: int = 0,
        *,
        tls: ssl.SSLContext | None = None,
        rate_limit: bool = False,
        strict_model: bool = False,
        connects_per_minute: int | None = 5,
        on_wire: Callable[[WireMessage], None] | None = None,
        service_timeout: float = SYNC_SERVICE_TIMEOUT,
        downlink_qos: int = 0,
    ) -> None:
        """Prepare; no port is open before start()."""
        self.host = host
        self.port = port
        self.api_port = api_port
        self.faults = Faults(self._find_device, rate_limit=rate_limit)
        self._tls = tls
        self._strict_model = strict_model
        self._devices: dict[tuple[str, str], CloudDevice] = {}
        self._wire = WireLog(on_wire)
        self._delivery = Delivery(self._wire, self.faults, downlink_qos)
        calls = Calls(self._delivery)
        uplinks = Uplinks(self._delivery, calls, self._wire, self.faults)
        self._broker = Broker(
            self._devices, self._wire, self.faults, uplinks.receive, connects_per_minute=connects_per_minute
        )
        self._openapi = OpenApi(self._devices, calls, self._delivery, service_timeout=service_timeout)
        self._http = HttpApi(self._openapi.call, self.faults, self._wire)

    @property
    def wire(self) -> deque[WireMessage]:
        """The newest messages of all devices, oldest first."""
        return self._wire.messages

    async def start(self) -> None:
        """Listen for MQTT and for the control API; raise OSError if a port is in use."""
        self.port = await self._broker.start(self.host, self.port, self._tls)
        try:
            self.api_port = await self._http.start(self.host, self.api_port)
        except OSError:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Close everything and wait until no task, timer or socket is left; the records are kept."""
        self._delivery.close()
        await self._http.stop()
        await self._broker.stop()

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Stop."""
        await self.stop()

    def add_device(
        self,
        product_key: str,
        device_name: str,
        device_secret: str,
        tsl: JsonValue = None,
        *,
        raw: bool = False,
        rrpc: str = RrpcForm.AUTO,
    ) -> CloudDevice:
        """Create a device, at any time; a device with the same name is replaced and its connection closed.

        `tsl` is a TSL document or a list of module documents; without it, nothing is validated. Raise ThingModelError.
        """
        if tsl is not None and self._strict_model:
            check(tsl)
        model = None if tsl is None else ThingModel.parse(tsl)
        device = CloudDevice(product_key, device_name, device_secret, model, raw, RrpcForm(rrpc))
        before = self._devices.get((product_key, device_name))
        if before is not None and before.connection is not None:
            before.connection.close("the device was replaced")
        self._devices[product_key, device_name] = device
        return device

    def device(self, product_key: str, device_name: str) -> CloudDevice:
        """Return a device; raise KeyError."""
        return self._devices[product_key, device_name]

    async def call(self, action: str, **fields: JsonValue) -> dict[str, JsonValue]:
        """Run an action of the control API and return its answer, as `POST /` does."""
        return await self._openapi.call(action, fields)

    def _find_device(self, name: str) -> CloudDevice:
        """Return a device by `ProductKey/DeviceName`, or by DeviceName if it is unique; raise KeyError."""
        matching = [device for device in self._devices.values() if name in (device.name, device.device_name)]
        if len(matching) != 1:
            raise KeyError(name)
        return matching[0]
