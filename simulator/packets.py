"""MQTT 3.1.1 packets: amqtt's codec behind a few plain dataclasses.

Only amqtt's packet layer is used, not its Broker. The platform is not a general broker: it never passes a message from
one client to another, knows neither retained messages nor wills, kicks by device identity instead of client id,
subscribes devices by itself, drops messages silently, and answers CONNECT with a code of its choice. amqtt's Broker
allows none of that through its plug-ins (a refused login is always code 4, sessions are kept by client id), and its
broadcast loop would cost several task switches per message.

A packet is cut from the stream here, by its length, before amqtt decodes it. Its decoders read fields one by one until
they have what they want, so a malformed packet would otherwise make them lose their place in the stream.

amqtt ships no type information; nothing untyped leaves this module.
"""

from asyncio import IncompleteReadError, StreamReader
from dataclasses import dataclass, field
from typing import cast

from amqtt.adapters import BufferReader, StreamReaderAdapter  # type: ignore[import-untyped]
from amqtt.errors import AMQTTError, CodecError, MQTTError, NoDataError  # type: ignore[import-untyped]
from amqtt.mqtt import (  # type: ignore[import-untyped]
    ConnackPacket,
    ConnectPacket,
    MQTTFixedHeader,
    PingRespPacket,
    PubackPacket,
    PublishPacket,
    SubackPacket,
    SubscribePacket,
    UnsubackPacket,
    UnsubscribePacket,
    packet as kinds,
)

FRAME_LIMIT = 4 * 1024 * 1024
"""Longer packets end the connection; the platform's own limit of 256 KB is applied to payloads, and silently."""


class MalformedPacketError(Exception):
    """What came is not MQTT 3.1.1, or not something that a client may send."""


@dataclass(frozen=True, slots=True)
class Connect:
    """CONNECT; a will is read over, because the platform knows none."""

    protocol: tuple[str, int]
    client_id: str
    username: str | None
    password: str | None = field(repr=False)
    keep_alive: int


@dataclass(frozen=True, slots=True)
class Publish:
    """PUBLISH; the retain flag is read over, because the platform retains nothing."""

    topic: str
    payload: bytes
    qos: int
    packet_id: int | None


@dataclass(frozen=True, slots=True)
class PublishAcknowledged:
    """PUBACK."""

    packet_id: int


@dataclass(frozen=True, slots=True)
class Subscribe:
    """SUBSCRIBE: (filter, QoS) pairs."""

    packet_id: int
    filters: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """UNSUBSCRIBE."""

    packet_id: int
    filters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ping:
    """PINGREQ."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """DISCONNECT."""


type Packet = Connect | Publish | PublishAcknowledged | Subscribe | Unsubscribe | Ping | Disconnect


async def read_packet(reader: StreamReader) -> Packet | None:
    """Return the next packet, None at the end of the stream; raise MalformedPacketError."""
    try:
        header = await MQTTFixedHeader.from_stream(StreamReaderAdapter(reader))
        if header is None:
            return None
        if header.remaining_length > FRAME_LIMIT:
            raise MalformedPacketError("packet is too long")
        body = await reader.readexactly(header.remaining_length)
    except MQTTError as error:
        raise MalformedPacketError(str(error)) from error
    except IncompleteReadError, OSError:
        return None
    try:
        return await _decode(header, BufferReader(body))
    except (AMQTTError, CodecError, MQTTError, NoDataError) as error:
        raise MalformedPacketError(str(error)) from error


async def _decode(header: MQTTFixedHeader, body: BufferReader) -> Packet:
    match header.packet_type:
        case kinds.PUBLISH:
            publish = await PublishPacket.from_stream(body, header)
            return Publish(publish.topic_name, publish.data, publish.qos, publish.packet_id)
        case kinds.PUBACK:
            return PublishAcknowledged((await PubackPacket.from_stream(body, header)).packet_id)
        case kinds.PINGREQ:
            return Ping()
        case kinds.CONNECT if header.flags == 0:
            connect = await ConnectPacket.from_stream(body, header)
            return Connect(
                (connect.proto_name, connect.proto_level),
                connect.client_id,
                connect.username,
                connect.password,
                connect.keep_alive,
            )
        case kinds.SUBSCRIBE if header.flags == 2:
            subscribe = await SubscribePacket.from_stream(body, header)
            if not subscribe.payload.topics:
                raise MalformedPacketError("SUBSCRIBE without a filter")
            return Subscribe(subscribe.variable_header.packet_id, tuple(subscribe.payload.topics))
        case kinds.UNSUBSCRIBE if header.flags == 2:
            unsubscribe = await UnsubscribePacket.from_stream(body, header)
            if not unsubscribe.payload.topics:
                raise MalformedPacketError("UNSUBSCRIBE without a filter")
            return Unsubscribe(unsubscribe.variable_header.packet_id, tuple(unsubscribe.payload.topics))
        case kinds.DISCONNECT:
            return Disconnect()
        case _:
            raise MalformedPacketError(f"packet type {header.packet_type} with flags {header.flags}")


def connect_acknowledgement(code: int) -> bytes:
    """Return a CONNACK; no session is ever present."""
    return cast("bytes", ConnackPacket.build(0, code).to_bytes())


def publish(topic: str, payload: bytes, *, packet_id: int | None = None, duplicate: bool = False) -> bytes:
    """Return a PUBLISH, QoS 1 when it has a packet id."""
    qos = 0 if packet_id is None else 1
    return cast("bytes", PublishPacket.build(topic, payload, packet_id, duplicate, qos, retain=False).to_bytes())


def publish_acknowledgement(packet_id: int) -> bytes:
    """Return a PUBACK."""
    return cast("bytes", PubackPacket.build(packet_id).to_bytes())


def subscribe_acknowledgement(packet_id: int, codes: list[int]) -> bytes:
    """Return a SUBACK with one code for each filter."""
    return cast("bytes", SubackPacket.build(packet_id, codes).to_bytes())


def unsubscribe_acknowledgement(packet_id: int) -> bytes:
    """Return an UNSUBACK."""
    return cast("bytes", UnsubackPacket.build(packet_id).to_bytes())


def ping_response() -> bytes:
    """Return a PINGRESP."""
    return cast("bytes", PingRespPacket.build().to_bytes())
