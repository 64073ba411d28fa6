"""One attempt to connect, signed as the platform wants (docs/protocol.md §2)."""

from dataclasses import dataclass, field
import time

from ..auth import DeviceTriple, SignMethod, connect_credentials
from ..host import ALIYUN, Host
from .endpoint import Endpoint
from .pacing import ConnectPacer
from .transport import MessageHandler, MqttConnection, SentHandler, open_connection

CONNECT_TIMEOUT = 10.0

LONG_RRPC = "1"
"""`ext` bit 0 of the client id: calls on user topics need it; synchronous services then come on `/ext/rrpc/…` as well
(docs/protocol.md §2.2, §6.5)."""

KEEP_ALIVE_RANGE = range(60, 301)
"""Seconds; the range that every edition of the documentation allows (docs/protocol.md §1.4)."""


@dataclass(frozen=True, slots=True)
class LinkConfig:
    """Everything that is needed to connect. `keep_alive` is in seconds."""

    triple: DeviceTriple
    endpoint: Endpoint
    keep_alive: int = KEEP_ALIVE_RANGE.start
    sign_method: SignMethod = SignMethod.HMACSHA256
    host: Host = ALIYUN
    pacer: ConnectPacer = field(default_factory=ConnectPacer, compare=False)


async def connect(
    config: LinkConfig,
    on_message: MessageHandler,
    on_sent: SentHandler = lambda _topic, _payload: None,
    timeout: float = CONNECT_TIMEOUT,
) -> MqttConnection:
    """Connect once, with a new look-up of the host's name; raises a ConnectError that names the cause.

    `timeout` is in seconds.
    """
    credentials = connect_credentials(
        config.triple,
        f"{config.triple.product_key}.{config.triple.device_name}",
        {
            "securemode": config.endpoint.secure_mode,
            "signmethod": config.sign_method,
            "timestamp": str(int(time.time() * 1000)),
            **({"ext": LONG_RRPC} if config.host.has_rrpc else {}),
        },
    )
    return await open_connection(
        config.endpoint,
        credentials,
        keep_alive=config.keep_alive,
        timeout=timeout,
        on_message=on_message,
        on_sent=on_sent,
        before_connect=config.pacer.connected,
    )


async def probe(config: LinkConfig, timeout: float = CONNECT_TIMEOUT) -> None:
    """Connect and disconnect to test the configuration; raises a ConnectError that names the cause."""
    connection = await connect(config, lambda _delivery: None, timeout=timeout)
    await connection.close()
