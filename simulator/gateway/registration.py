"""Registration of sub-devices by a gateway (docs/protocol.md §10.2)."""

from ..core.codes import text_of
from ..core.device import CloudDevice
from ..core.jsontext import JsonValue
from ..core.signature import is_known_method, is_signed
from ..device_side.uplink import RejectedError, Uplink, read_object, read_text, rejected
from .entries import Entry, check_all, key_of, name, read_entries
from .lifecycle import NOT_IN_TOPOLOGY, Change, announce, unbind
from .topology import own_sub_device

BATCH = 30


def register(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Return a new secret for each device, which must exist and not be another gateway's."""
    entries = read_entries(params, BATCH)
    return [_registered(uplink, device) for device in check_all(entries, lambda entry: _check(uplink, entry))]


def register_with_product_secret(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Return a new secret for each device; the secret of the product also takes a device from another gateway.

    Unlike other requests, each device succeeds or fails for itself. The form of the answer is not documented; this one is
    used by the C SDK's example.
    """
    successes: list[JsonValue] = []
    failures: list[JsonValue] = []
    for entry in read_entries(read_object(params).get("proxieds"), BATCH):
        key = key_of(entry)
        try:
            device = _check_signed(uplink, entry)
        except RejectedError as error:
            failures.append(name(key) | {"code": error.code, "message": text_of(error.code)})
            continue
        if (other := device.gateway) is not None and other is not uplink.device:
            unbind(uplink.platform, other, [device], NOT_IN_TOPOLOGY)
            announce(uplink.platform, other, Change.DELETED, [device])
        successes.append(_registered(uplink, device))
    return {"successes": successes, "failures": failures}


def unregister(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Delete sub-devices of the gateway."""
    for device in check_all(read_entries(params, BATCH), lambda entry: own_sub_device(uplink, entry)):
        uplink.platform.registry.remove_device(device, "unregistered by the gateway")
    return {}


def _find(uplink: Uplink, entry: Entry) -> CloudDevice:
    """Return a device that may be registered; raise RejectedError."""
    key = key_of(entry)
    registry = uplink.platform.registry
    if (product := registry.products.get(key[0])) is None:
        raise rejected(5005)
    if product.network == "LORA":
        raise rejected(5244)
    if key == uplink.device.key:
        raise rejected(6402)
    if (device := registry.devices.get(key)) is None:
        raise rejected(6100)
    if not product.dynamic_registration:
        raise rejected(6288)
    return device


def _check(uplink: Uplink, entry: Entry) -> CloudDevice:
    device = _find(uplink, entry)
    if device.gateway is not None and device.gateway is not uplink.device:
        raise rejected(6619)
    return device


def _check_signed(uplink: Uplink, entry: Entry) -> CloudDevice:
    method, given, random = (read_text(entry, field) for field in ("signMethod", "sign", "random"))
    device = _find(uplink, entry)
    if not is_known_method(method):
        raise rejected(6292)
    signed = {"deviceName": device.device_name, "productKey": device.product_key, "random": random}
    if not is_signed(given, method, device.product.secret, signed):
        raise rejected(401)
    return device


def _registered(uplink: Uplink, device: CloudDevice) -> JsonValue:
    secret = uplink.platform.registry.renew_secret(device)
    return name(device.key) | {"deviceSecret": secret, "iotId": device.iot_id}
