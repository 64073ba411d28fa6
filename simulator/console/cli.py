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
from ..core.jsontext import JsonValue, NotJsonError, dump, parse
from ..core.model_rules import check
from ..core.thing_model import ThingModel, ThingModelError
from ..core.transcript import WireMessage

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class DeviceOption:
    """A device given on the command line."""

    product_key: str
    device_name: str
    device_secret: str = field(repr=False)
    tsl: JsonValue


def main() -> None:
    """Run until a signal arrives."""
    parser = _parser()
    options = parser.parse_args()
    for device in options.device:
        if options.strict_model and device.tsl is not None:
            try:
                check(device.tsl)
            except ThingModelError as error:
                parser.error(f"the console refuses the thing model of {device.device_name}: {error}")
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
        tls=options.tls,
        rate_limit=options.rate_limit,
        strict_model=options.strict_model,
        connects_per_minute=None if options.no_connect_limit else 5,
        on_wire=print_message,
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
                "devices": [f"{device.product_key}/{device.device_name}" for device in options.device],
            }
        )
        await stopping.wait()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/simulator",
        description="Simulate Alibaba Cloud IoT Platform on 127.0.0.1: MQTT for devices, HTTP for applications.",
        epilog="The HTTP API is described in simulator/README.md.",
    )
    parser.add_argument("--port", type=int, default=0, help="MQTT port (default: a free one)")
    parser.add_argument("--api-port", type=int, default=0, help="HTTP port (default: a free one)")
    parser.add_argument(
        "--device",
        type=_device,
        action="append",
        required=True,
        metavar="PK,DN,SECRET[,TSL.json]",
        help="ProductKey, DeviceName, DeviceSecret and a thing model; may be repeated",
    )
    parser.add_argument(
        "--tls", type=_tls, metavar="CERT,KEY", help="speak TLS with this certificate and key (PEM files)"
    )
    parser.add_argument("--raw", action="store_true", help="the devices belong to raw products: no Alink JSON")
    parser.add_argument("--rate-limit", action="store_true", help="drop messages beyond 30 (QoS 1: 10) a second")
    parser.add_argument("--strict-model", action="store_true", help="refuse thing models that the console refuses")
    parser.add_argument("--no-connect-limit", action="store_true", help="accept more than 5 connects a minute")
    return parser


def _device(text: str) -> DeviceOption:
    parts = text.split(",", 3)
    if len(parts) < 3 or not all(parts):
        raise argparse.ArgumentTypeError("a device is PK,DN,SECRET or PK,DN,SECRET,TSL.json")
    tsl: JsonValue = None
    if len(parts) == 4:
        try:
            tsl = parse(Path(parts[3]).read_bytes())
            ThingModel.parse(tsl)
        except (OSError, NotJsonError, ThingModelError) as error:
            raise argparse.ArgumentTypeError(f"{parts[3]}: {error}") from None
    return DeviceOption(parts[0], parts[1], parts[2], tsl)


def _tls(text: str) -> ssl.SSLContext:
    certificate, _, key = text.partition(",")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key or None)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error}") from None
    return context
