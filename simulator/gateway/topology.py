"""The topology of a gateway, as the gateway itself changes and asks for it (docs/protocol.md §10.1)."""

from ..core.device import CloudDevice
from ..core.jsontext import JsonValue
from ..core.names import is_device_name
from ..core.platform import Platform
from ..core.signature import is_known_method, is_signed
from ..device_side.uplink import Uplink, rejected
from .entries import Entry, check_all, key_of, name, read_entries
from .lifecycle import bind, unbind

BATCH = 30
"""Devices in one request (§19)."""


def add(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Add sub-devices, which prove with their secret that they agree; another gateway that had them loses them."""
    gateway = uplink.device
    devices = check_all(read_entries(params, BATCH), lambda entry: _check_addition(uplink.platform, gateway, entry))
    new = {device.key for device in devices} - gateway.sub_devices.keys()
    if len(gateway.sub_devices) + len(new) > uplink.platform.options.sub_device_limit:
        raise rejected(6400)
    bind(uplink.platform, gateway, devices)
    return [name(device.key) for device in devices]


def delete(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Remove sub-devices, which go offline."""
    devices = check_all(read_entries(params, BATCH), lambda entry: own_sub_device(uplink, entry))
    unbind(uplink.platform, uplink.device, devices)
    return [name(device.key) for device in devices]


def get(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Return the topology; `params` say nothing, and one SDK sends them as a text."""
    del params
    return [name(key) for key in uplink.device.sub_devices]


def report_found(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Take the report of devices that the gateway has found, for a person to add them (§10.1)."""

    def check(entry: Entry) -> tuple[str, str]:
        key = key_of(entry)
        if key[0] not in uplink.platform.registry.products:
            raise rejected(6250)
        if not is_device_name(key[1]):
            raise rejected(6280)
        return key

    found = uplink.device.found
    found += [key for key in check_all(read_entries(params, BATCH), check) if key not in found]
    return {}


def own_sub_device(uplink: Uplink, entry: Entry) -> CloudDevice:
    """Return a sub-device of the gateway; raise RejectedError (460, 6100, 6401)."""
    if (device := uplink.platform.registry.devices.get(key_of(entry))) is None:
        raise rejected(6100)
    if device.gateway is not uplink.device:
        raise rejected(6401)
    return device


def _check_addition(platform: Platform, gateway: CloudDevice, entry: Entry) -> CloudDevice:
    key = key_of(entry)
    signature = read_signature(entry)
    if key == gateway.key:
        raise rejected(6402)
    if (device := platform.registry.devices.get(key)) is None:
        raise rejected(6100)
    if device.disabled:
        raise rejected(6204)
    if not signature.fits(device.device_secret):
        raise rejected(401)
    return device


class Signature:
    """The signature of a sub-device over its client id, names and time."""

    def __init__(self, given: str, method: str, signed: dict[str, str]) -> None:
        """Take a signature by a known method."""
        self._given, self._method, self._signed = given, method, signed

    def fits(self, secret: str) -> bool:
        """Return whether it was made with this secret."""
        return is_signed(self._given, self._method, secret, self._signed)


def read_signature(entry: Entry, method: JsonValue = None) -> Signature:
    """Return the signature of an entry of topology or login; raise 460.

    The method is `signmethod` in the topology and `signMethod` at login, but SDKs use both in both; in a batch, one may stand
    beside the list: `method`. SDKs send the time as a text or as a number.
    """
    product_key, device_name = key_of(entry)
    method = entry.get("signMethod", entry.get("signmethod", method))
    client_id, timestamp, given = entry.get("clientId"), entry.get("timestamp"), entry.get("sign")
    if isinstance(timestamp, int) and not isinstance(timestamp, bool):
        timestamp = str(timestamp)
    if not isinstance(method, str) or not is_known_method(method):
        raise rejected(460)
    if not isinstance(client_id, str) or not isinstance(timestamp, str) or not isinstance(given, str):
        raise rejected(460)
    signed = {"clientId": client_id, "deviceName": device_name, "productKey": product_key, "timestamp": timestamp}
    return Signature(given, method, signed)
