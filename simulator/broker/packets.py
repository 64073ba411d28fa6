"""MQTT 3.1.1 packets: amqtt's codec behind a few plain dataclasses.

Only amqtt's packet layer is used, not its Broker. The platform is not a general broker: it never passes a message from
one client to another, supports neither retained messages nor wills, disconnects clients by device identity instead of
client id, subscribes devices without being asked, drops messages silently, and answers CONNECT with various codes. The
plug-ins of amqtt's Broker allow none of that (a refused login is always code 4, sessions are kept by client id), and its
broadcast loop would cost several task switches per message.

This module reads a whole packet from the stream, by its length, before amqtt decodes it. amqtt's decoders read one field
after the other, so a malformed packet would make them lose their position in the stream.

amqtt has no type information; nothing untyped leaves this module.
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
"""Bytes; a longer packet ends the connection. The platform's limit of 256 KB for payloads is applied elsewhere, silently."""


class MalformedPacketError(Exception):
    """The data received are not MQTT 3.1.1, or a packet that a client must not send."""


@dataclass(frozen=True, slots=True)
class Connect:
    """CONNECT; a will is ignored, because the platform does not support wills."""

    protocol: tuple[str, int]
    client_id: str
    username: str | None
    password: str | None = field(repr=False)
    keep_alive: int
    clean_session: bool = True


@dataclass(frozen=True, slots=True)
class Publish:
    """PUBLISH; the retain flag is ignored, because the platform retains nothing."""

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
    """SUBSCRIBE, with (filter, QoS) pairs."""

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
                connect.clean_session_flag,
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


def connect_acknowledgement(code: int, *, session_present: bool = False) -> bytes:
    """Return a CONNACK."""
    return cast("bytes", ConnackPacket.build(int(session_present), code).to_bytes())


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
