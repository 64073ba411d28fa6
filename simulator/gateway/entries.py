"""Requests about several sub-devices, which the platform fulfils for all of them or for none."""

from collections.abc import Callable, Mapping

from ..core.jsontext import JsonValue
from ..device_side.uplink import RejectedError, read_array, rejected

type Entry = Mapping[str, JsonValue]


def key_of(entry: Entry) -> tuple[str, str]:
    """Return the product key and the device name of an entry; raise 460."""
    product_key, device_name = entry.get("productKey"), entry.get("deviceName")
    if not isinstance(product_key, str) or not isinstance(device_name, str) or not product_key or not device_name:
        raise rejected(460)
    return product_key, device_name


def name(key: tuple[str, str]) -> dict[str, JsonValue]:
    """Return a device as the platform names it in `data`."""
    return {"productKey": key[0], "deviceName": key[1]}


def read_entries(params: JsonValue, limit: int) -> list[Entry]:
    """Return 1 to `limit` objects; raise 460."""
    entries = read_array(params, may_be_empty=False, limit=(limit, 460))
    objects = [entry for entry in entries if isinstance(entry, dict)]
    if len(objects) != len(entries):
        raise rejected(460)
    return list[Entry](objects)


def check_all[Result](entries: list[Entry], check: Callable[[Entry], Result]) -> list[Result]:
    """Return the results of a check that raises RejectedError.

    If it fails for some, the code is that of the first, and `data` names those that failed with this code (§10.3).
    """
    results: list[Result] = []
    failed: list[tuple[int, Entry]] = []
    for entry in entries:
        try:
            results.append(check(entry))
        except RejectedError as error:
            failed.append((error.code, entry))
    if failed:
        code = failed[0][0]
        names = [
            {key: entry.get(key) for key in ("productKey", "deviceName")}
            for culprit, entry in failed
            if culprit == code
        ]
        raise RejectedError(code, list[JsonValue](names))
    return results
