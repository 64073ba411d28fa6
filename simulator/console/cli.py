"""The command line of the simulator.

The first line on stdout has the ports as JSON. Each following line is a message on the wire, see WireMessage. Secrets are
never printed. SIGINT and SIGTERM end it.
"""

import argparse
import asyncio
from dataclasses import dataclass, field
from pathlib import Path
import signal
import ssl
import sys

from ..cloud import Simulator
from ..core.dialect import DIALECTS
from ..core.jsontext import JsonValue, NotJsonError, dump, parse
from ..core.model_rules import check
from ..core.product import NodeType
from ..core.thing_model import ThingModel, ThingModelError
from ..core.transcript import WireMessage
from ..openapi.authentication import AccessKey
from .manual import describe_everything

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class DeviceOption:
    """A device given on the command line."""

    product_key: str
    device_name: str
    device_secret: str = field(repr=False)
    tsl: JsonValue


@dataclass(frozen=True, slots=True)
class ProductOption:
    """A product given on the command line."""

    product_key: str
    secret: str = field(repr=False)
    tsl: JsonValue


def main() -> None:
    """Run until a signal arrives."""
    parser = _parser()
    options = parser.parse_args()
    models = [(device.device_name, device.tsl) for device in options.device]
    models += [(product.product_key, product.tsl) for product in options.product]
    for owner, tsl in models:
        if options.strict_model and tsl is not None:
            try:
                check(tsl)
            except ThingModelError as error:
                parser.error(f"the console refuses the thing model of {owner}: {error}")
    try:
        asyncio.run(_run(options))
    except OSError as error:
        sys.exit(f"simulator: {error}")


async def _run(options: argparse.Namespace) -> None:
    stopping = asyncio.Event()

    def print_line(line: JsonValue) -> None:
        try:
            print(dump(line), flush=True)
        except BrokenPipeError:
            stopping.set()

    def print_message(message: WireMessage) -> None:
        print_line(message.as_json())

    simulator = Simulator(
        HOST,
        options.port,
        options.api_port,
        options.web_port,
        tls=options.tls,
        rate_limit=options.rate_limit,
        strict_model=options.strict_model,
        strict_values=options.strict_values,
        plain_registration=options.plain_registration,
        connects_per_minute=None if options.no_connect_limit else 5,
        logins_per_second=None if options.no_connect_limit else 200,
        login_batch=options.login_batch,
        sub_device_limit=options.sub_device_limit,
        device_limit=options.device_limit,
        access_key=options.access_key,
        dialect=options.dialect,
        on_wire=print_message,
    )
    for product in options.product:
        simulator.add_product(
            product.product_key,
            product.tsl,
            secret=product.secret,
            node_type=NodeType.GATEWAY,
            dynamic_registration=True,
        )
    for device in options.device:
        simulator.add_device(device.product_key, device.device_name, device.device_secret, device.tsl, raw=options.raw)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    async with simulator:
        print_line(
            {
                "host": HOST,
                "port": simulator.port,
                "tls": options.tls is not None,
                "api": f"http://{HOST}:{simulator.api_port}/",
                "web": f"http{'s' if options.tls else ''}://{HOST}:{simulator.web_port}/",
                "devices": [f"{device.product_key}/{device.device_name}" for device in options.device],
            }
        )
        await stopping.wait()


def _parser() -> argparse.ArgumentParser:
    installed = Path(sys.argv[0]).name.startswith("aliyun-iot-simulator")
    parser = argparse.ArgumentParser(
        prog="aliyun-iot-simulator" if installed else "scripts/simulator",
        description="Simulate Alibaba Cloud IoT Platform on 127.0.0.1: MQTT for devices, HTTP for applications.",
        epilog=describe_everything(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=0, help="port of MQTT (default: a free one)")
    parser.add_argument(
        "--api-port", type=int, default=0, help="port of the HTTP API for applications (default: a free one)"
    )
    parser.add_argument(
        "--web-port",
        type=int,
        default=0,
        help="port of MQTT over WebSocket and of the HTTPS services for devices (default: a free one)",
    )
    parser.add_argument(
        "--device",
        type=_device,
        action="append",
        default=[],
        metavar="PK,DN,SECRET[,TSL.json]",
        help="ProductKey, DeviceName, DeviceSecret and a thing model; may be repeated; every device can be a gateway, and "
        "the sub-device of one",
    )
    parser.add_argument(
        "--product",
        type=_product,
        action="append",
        default=[],
        metavar="PK,SECRET[,TSL.json]",
        help="a product with dynamic registration: ProductKey, ProductSecret and the thing model of its devices; may be "
        "repeated; needed only for these",
    )
    parser.add_argument(
        "--tls",
        type=_tls,
        metavar="CERT,KEY",
        help="speak TLS with devices, with this certificate and key (PEM files)",
    )
    parser.add_argument(
        "--access-key",
        type=_access_key,
        metavar="ID,SECRET",
        help="refuse requests to the API that are not signed with this AccessKey (signature V1 or V3)",
    )
    parser.add_argument(
        "--dialect",
        choices=DIALECTS,
        default="aliyun",
        help="play another host: Tuya IoT Platform (Alibaba Cloud edition), or one that speaks Alink in part",
    )
    parser.add_argument("--raw", action="store_true", help="the devices belong to raw products: no Alink JSON")
    parser.add_argument("--rate-limit", action="store_true", help="drop messages beyond 30 (QoS 1: 10) a second")
    parser.add_argument("--strict-model", action="store_true", help="refuse thing models that the console refuses")
    parser.add_argument("--strict-values", action="store_true", help="refuse whole numbers for floats: 21.0, not 21")
    parser.add_argument(
        "--plain-registration", action="store_true", help="let devices register dynamically without TLS"
    )
    parser.add_argument(
        "--no-connect-limit", action="store_true", help="accept more than 5 connects or logins a minute"
    )
    parser.add_argument(
        "--login-batch", type=int, default=50, metavar="N", help="sub-devices in a batch login or logout (default: 50)"
    )
    parser.add_argument(
        "--sub-device-limit",
        type=int,
        metavar="N",
        help="sub-devices of a gateway (default: 2000, with --dialect tuya 1000)",
    )
    parser.add_argument(
        "--device-limit", type=int, metavar="N", help="devices in all, such as 500 on a public instance (default: any)"
    )
    return parser


def _device(text: str) -> DeviceOption:
    (product_key, device_name, secret), tsl = _split(text, 3, "a device is PK,DN,SECRET or PK,DN,SECRET,TSL.json")
    return DeviceOption(product_key, device_name, secret, tsl)


def _product(text: str) -> ProductOption:
    (product_key, secret), tsl = _split(text, 2, "a product is PK,SECRET or PK,SECRET,TSL.json")
    return ProductOption(product_key, secret, tsl)


def _split(text: str, count: int, form: str) -> tuple[list[str], JsonValue]:
    """Return that many names, and the thing model of the file that may follow."""
    parts = text.split(",", count)
    if len(parts) < count or not all(parts):
        raise argparse.ArgumentTypeError(form)
    if len(parts) == count:
        return parts, None
    path = parts.pop()
    try:
        tsl = parse(Path(path).read_bytes())
        ThingModel.parse(tsl)
    except (OSError, NotJsonError, ThingModelError) as error:
        raise argparse.ArgumentTypeError(f"{path}: {error}") from None
    return parts, tsl


def _access_key(text: str) -> AccessKey:
    key_id, _, secret = text.partition(",")
    if not key_id or not secret:
        raise argparse.ArgumentTypeError("an AccessKey is ID,SECRET")
    return AccessKey(key_id, secret)


def _tls(text: str) -> ssl.SSLContext:
    certificate, _, key = text.partition(",")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key or None)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error}") from None
    return context
