"""Cutting received bytes into MQTT packets.

A host may be hostile or broken, so a packet is judged by its fixed header (MQTT 3.1.1 §2.2), before its content is kept: what
no host of the platform sends is refused there, and at most one packet of the longest allowed length is ever buffered.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from ..errors import ConnectionLost, PacketRefused
from ..i18n import Words
from ..messages import MAX_PAYLOAD

MAX_PUBLISH: Final = MAX_PAYLOAD + 4096
"""Bytes of a PUBLISH after its fixed header: the platform's longest message (docs/protocol.md §14), its topic and its id."""

MAX_TOPIC: Final = 512
"""Bytes of a topic; the longest of the platform have less than half of them."""

_TOO_LARGE: Final[Words] = (
    "a packet of {length} bytes, where at most {longest} are allowed",
    "长度为 {length} 字节的报文，而最多允许 {longest} 字节",
)
_QOS_2_USED: Final[Words] = ("a message of QoS 2, which the platform does not have", "QoS 2 的消息，而平台不支持 QoS 2")

_LONG_TOPIC: Final[Words] = (
    "a topic of {length} bytes, where at most {longest} are allowed",
    "长度为 {length} 字节的 Topic，而最多允许 {longest} 字节",
)

_LENGTH_BYTES: Final = 4
"""Bytes that can encode a length."""

_MORE: Final = 0x80
_QOS: Final = 0x06
_QOS_2: Final = 0x04


class PacketType(IntEnum):
    """The packets that a host sends; the value is the first byte without flags."""

    CONNACK = 0x20
    PUBLISH = 0x30
    PUBACK = 0x40
    SUBACK = 0x90
    UNSUBACK = 0xB0
    PINGRESP = 0xD0


_LONGEST: Final[Mapping[PacketType, int]] = {
    PacketType.CONNACK: 2,
    PacketType.PUBLISH: MAX_PUBLISH,
    PacketType.PUBACK: 2,
    PacketType.SUBACK: 64,
    PacketType.UNSUBACK: 2,
    PacketType.PINGRESP: 0,
}
"""Bytes after the fixed header. A SUBACK has one for each of the few filters in a SUBSCRIBE."""

_OF_QOS_2: Final = frozenset({0x50, 0x62, 0x70})
"""The first bytes of PUBREC, PUBREL and PUBCOMP."""


@dataclass(frozen=True, slots=True)
class Packet:
    """A complete packet: its first byte, and what follows the fixed header."""

    first: int
    content: bytes


class Framing:
    """The bytes of one connection, as packets."""

    def __init__(self) -> None:
        """Start without any."""
        self._buffer = bytearray()
        self._connected = False

    def feed(self, data: bytes) -> None:
        """Add received bytes."""
        self._buffer += data

    @property
    def buffered(self) -> int:
        """Bytes that wait for the rest of their packet, or for their turn."""
        return len(self._buffer)

    @property
    def has_packet(self) -> bool:
        """Whether `take` returns a packet now; raises as `take` does."""
        return self._end() is not None

    def take(self) -> Packet | None:
        """Remove and return the next packet, None if it is not complete.

        Raises PacketRefused for what the platform never sends, and ConnectionLost for what is not MQTT.
        """
        end = self._end()
        if end is None:
            return None
        self._connected = True
        start, stop = end
        packet = Packet(self._buffer[0], bytes(self._buffer[start:stop]))
        del self._buffer[:stop]
        if packet.first & 0xF0 == PacketType.PUBLISH and (length := int.from_bytes(packet.content[:2])) > MAX_TOPIC:
            raise PacketRefused(_LONG_TOPIC, length=f"{length:,}", longest=MAX_TOPIC)
        return packet

    def _end(self) -> tuple[int, int] | None:
        """Return where the content of the next packet starts and ends, None if the packet is not complete."""
        if not self._buffer:
            return None
        longest = _longest(self._buffer[0])
        if not self._connected and self._buffer[0] != PacketType.CONNACK:
            raise ConnectionLost("the host sent something before it accepted the connection")
        length = 0
        for place in range(_LENGTH_BYTES):
            if len(self._buffer) < place + 2:
                return None
            byte = self._buffer[place + 1]
            length |= (byte & ~_MORE) << 7 * place
            if not byte & _MORE:
                break
        else:
            raise ConnectionLost("the host sent something that is not MQTT: a length of five bytes")
        if length > longest:
            raise PacketRefused(_TOO_LARGE, length=f"{length:,}", longest=f"{longest:,}")
        start = place + 2
        return (start, start + length) if len(self._buffer) >= start + length else None


def _longest(first: int) -> int:
    """Return the longest length of a packet with this first byte; raises as `Framing.take` does."""
    is_publish = first & 0xF0 == PacketType.PUBLISH
    if first in _OF_QOS_2 or (is_publish and first & _QOS == _QOS_2):
        raise PacketRefused(_QOS_2_USED)
    if is_publish and first & _QOS != _QOS:
        return MAX_PUBLISH
    if first in _LONGEST:
        return _LONGEST[PacketType(first)]
    raise ConnectionLost(f"the host sent something that is not MQTT: a packet that begins with 0x{first:02x}")
