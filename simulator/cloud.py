"""The simulator, made of all its parts."""

from collections import deque
from collections.abc import Callable, Mapping
import ssl
from typing import Self

from .broker.server import Broker
from .broker.web import DeviceWeb
from .console.http import HttpApi
from .core.commands import Commands
from .core.delivery import Delivery
from .core.device import CloudDevice, RrpcForm
from .core.dialect import DIALECTS
from .core.faults import Faults
from .core.jsontext import JsonValue
from .core.model_rules import check
from .core.options import SYNC_SERVICE_TIMEOUT, Options
from .core.platform import Platform
from .core.product import NodeType, Product
from .core.registry import Registry, SecretKind, SecretOf, new_secret
from .core.thing_model import ThingModel
from .core.transcript import Transcript, WireMessage
from .device_side import jobs, ota
from .openapi.api import OpenApi
from .openapi.authentication import AccessKey, Verifier
from .router import Router


class Simulator:
    """The cloud side of the platform, in this process, on one event loop.

    `port` is for MQTT, `web_port` for MQTT over WebSocket and the HTTPS services of devices, `api_port` for applications. They
    are the requested ports until start(), then the real ones; 0 requests a free port. With `tls`, the first two speak TLS.
    `on_wire` is called with each message as it is recorded, so it should be quick. `strict_model` refuses thing models that
    the console would refuse. With an `access_key`, requests to `api_port` must be signed. `service_timeout` (seconds) and
    `downlink_qos` are for tests that cannot wait, or that need PUBACKs. `dialect` is one of DIALECTS: another host is played.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        api_port: int = 0,
        web_port: int = 0,
        *,
        tls: ssl.SSLContext | None = None,
        rate_limit: bool = False,
        strict_model: bool = False,
        strict_values: bool = False,
        plain_registration: bool = False,
        connects_per_minute: int | None = 5,
        logins_per_second: int | None = 200,
        login_batch: int = 50,
        sub_device_limit: int | None = None,
        device_limit: int | None = None,
        access_key: AccessKey | None = None,
        on_wire: Callable[[WireMessage], None] | None = None,
        service_timeout: float = SYNC_SERVICE_TIMEOUT,
        downlink_qos: int = 0,
        dialect: str = "aliyun",
    ) -> None:
        """Prepare; no port is open before start(). Raise KeyError for an unknown dialect."""
        self.host = host
        self.port = port
        self.api_port = api_port
        self.web_port = web_port
        self._tls = tls
        spoken = DIALECTS[dialect]
        options = Options(
            dialect=spoken,
            connects_per_minute=connects_per_minute,
            logins_per_second=logins_per_second,
            login_batch=login_batch,
            sub_device_limit=sub_device_limit or spoken.sub_device_limit,
            device_limit=device_limit,
            service_timeout=service_timeout,
            downlink_qos=downlink_qos,
            strict_model=strict_model,
            strict_values=strict_values,
            plain_registration=plain_registration,
        )
        registry = Registry(device_limit)
        if access_key is not None:
            registry.secrets[access_key.secret] = SecretOf(SecretKind.ACCESS_KEY, access_key.id)
        self.faults = Faults(registry.find, rate_limit=rate_limit)
        transcript = Transcript(on_wire)
        delivery = Delivery(transcript, self.faults, options.downlink_qos)
        self._platform = Platform(options, registry, transcript, self.faults, delivery, Commands(delivery))
        self._platform.on_online.extend([ota.push_pending, jobs.push_pending])
        self._broker = Broker(self._platform, Router(self._platform).receive)
        self._web = DeviceWeb(self._platform, self._broker.converse)
        self._openapi = OpenApi(self._platform, None if access_key is None else Verifier(access_key))
        self._http = HttpApi(self._openapi.receive, self.faults, transcript)

    @property
    def wire(self) -> deque[WireMessage]:
        """The newest messages of all devices, oldest first."""
        return self._platform.transcript.messages

    @property
    def secrets(self) -> Mapping[str, SecretOf]:
        """What nobody but the owners may know: every secret of this cloud, and what devices have signed with one."""
        return self._platform.registry.secrets

    async def start(self) -> None:
        """Listen for MQTT and for the control API; raise OSError if a port is in use."""
        self.port = await self._broker.start(self.host, self.port, self._tls)
        try:
            self.web_port = await self._web.start(self.host, self.web_port, self._tls, mqtt_port=self.port)
            scheme = "http" if self._tls is None else "https"
            self._platform.files.base = f"{scheme}://{self.host}:{self.web_port}"
            self.api_port = await self._http.start(self.host, self.api_port)
        except OSError:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Close everything and wait until no task, timer or socket is left; the records are kept."""
        self._platform.delivery.close()
        await self._http.stop()
        await self._broker.stop()
        await self._web.stop()

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Stop."""
        await self.stop()

    def add_product(
        self,
        product_key: str,
        tsl: JsonValue = None,
        *,
        name: str = "",
        secret: str | None = None,
        node_type: NodeType = NodeType.DEVICE,
        raw: bool = False,
        dynamic_registration: bool = False,
        network: str = "WIFI",
    ) -> Product:
        """Create a product, before its devices. Raise ThingModelError, and ValueError if it has devices already.

        The thing model is that of all its devices. Without a call of this, add_device() makes a product that has everything.
        """
        product = Product(
            product_key,
            secret or new_secret(16),
            name,
            node_type,
            self._thing_model(tsl),
            raw,
            dynamic_registration,
            network,
        )
        return self._platform.registry.add_product(product)

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
        model = self._thing_model(tsl)
        return self._platform.registry.add_device(
            product_key, device_name, device_secret, model, raw=raw, rrpc=RrpcForm(rrpc)
        )

    def _thing_model(self, tsl: JsonValue) -> ThingModel | None:
        if tsl is None:
            return None
        if self._platform.options.strict_model:
            check(tsl)
        return ThingModel.parse(tsl, strict_values=self._platform.options.strict_values)

    def device(self, product_key: str, device_name: str) -> CloudDevice:
        """Return a device; raise KeyError."""
        return self._platform.registry.devices[product_key, device_name]

    async def call(self, action: str, **fields: JsonValue) -> dict[str, JsonValue]:
        """Run an action of the control API and return its answer, as `POST /` does."""
        return await self._openapi.call(action, fields)
