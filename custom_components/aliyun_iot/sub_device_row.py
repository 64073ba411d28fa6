"""The identity of a sub-device as its subentry stores it, and how sub-devices are added.

A subentry of the type sub-device is one device of the cloud: its names and its secret, which device of Home Assistant it stands
for, and the rows of what is bound (`exposures.py`).
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import batched
from types import MappingProxyType
from typing import Annotated, Any, Final, Self

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant, callback
import voluptuous as vol

from .alink.auth import DeviceTriple, Identity
from .alink.errors import TripleInvalid
from .alink.sub_device import SubDeviceConfig
from .const import (
    CONF_BINDINGS,
    CONF_DEVICE_NAME,
    CONF_DEVICE_SECRET,
    CONF_PRODUCT_KEY,
    CONF_PRODUCT_SECRET,
    SUBENTRY_SUB_DEVICE,
)
from .exposures import exposure_data, rows_of
from .mapping.binding import Binding
from .mapping.fields import Expected, FieldSpec, expectations, schema_of, without_defaults
from .mapping.slices import SLICE, Slices
from .mapping.stored import Expectations, Unchanged, Unreadable, read_row

_NO_SECRET: Final = "-"  # noqa: S105 - what stands for a secret that is not there


@dataclass(frozen=True, slots=True)
class SubDeviceRow:
    """A sub-device: its names, its secret once it has one, and the key of the `ExposureKey` that it stands for.

    `product_secret` is there while it has to be registered with that. Without either it is registered by its name alone.
    """

    product_key: Annotated[str, FieldSpec(str, Expected.WORD)]
    device_name: Annotated[str, FieldSpec(str, Expected.WORD)]
    device_secret: Annotated[str | None, FieldSpec(str, Expected.TEXT)] = field(default=None, repr=False)
    product_secret: Annotated[str | None, FieldSpec(str, Expected.TEXT)] = field(default=None, repr=False)
    stands_for: Annotated[str, FieldSpec(str, Expected.TEXT)] = ""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the row that the data describe; raises `vol.Invalid`."""
        row = cls(**_SCHEMA({key: value for key, value in data.items() if key != CONF_BINDINGS}))
        for secret in {row.device_secret or _NO_SECRET, row.product_secret or _NO_SECRET}:
            try:
                DeviceTriple.parse(row.product_key, row.device_name, secret)
            except TripleInvalid as err:
                raise vol.Invalid(str(err), [err.field]) from err
        return row

    @classmethod
    def from_stored(cls, row: object) -> Self | Unreadable:
        """Return the row that a stored subentry describes, or why it cannot be read; the text of that has no secret."""
        read = read_row(cls.from_dict, row, _EXPECTATIONS)
        if isinstance(read, Unreadable) and isinstance(row, Mapping):
            return Unreadable(None, str(row.get(CONF_DEVICE_NAME, "")), read.path, read.expected, read.reason)
        return read

    def as_dict(self) -> dict[str, Any]:
        """Return data that JSON can hold and `from_dict` takes, without defaults."""
        return without_defaults(self)

    @property
    def identity(self) -> Identity:
        """The names."""
        return Identity(self.product_key, self.device_name)

    @property
    def unique_id(self) -> str:
        """The unique id of the subentry."""
        return unique_id_of(self.identity)

    @property
    def config(self) -> SubDeviceConfig:
        """What the gateway has to know."""
        return SubDeviceConfig(self.identity, self.device_secret, self.product_secret)


AT_ONCE: Final = 5
"""Sub-devices that are stored without a pause: Home Assistant takes some milliseconds for each."""

_SCHEMA: Final = schema_of(SubDeviceRow)
_EXPECTATIONS: Final[Expectations] = expectations(SubDeviceRow)


@dataclass(frozen=True, slots=True)
class NewSubDevice:
    """A sub-device to be added, with the title that people know it by and its bindings."""

    row: SubDeviceRow
    title: str
    bindings: tuple[Binding, ...] = ()


def unique_id_of(identity: Identity) -> str:
    """Return the unique id of the subentry of a sub-device."""
    return f"{identity.product_key}.{identity.device_name}"


def sub_device_row(subentry: ConfigSubentry) -> SubDeviceRow | Unreadable:
    """Return the identity in the subentry of a sub-device, or why it cannot be read."""
    return _row(Unchanged(subentry.data))


@lru_cache(maxsize=4096)
def _row(unchanged: Unchanged) -> SubDeviceRow | Unreadable:
    """Read a row once, because every change of an entry asks for all of them."""
    return SubDeviceRow.from_stored(unchanged.data)


def read_in_slices(entry: ConfigEntry) -> Slices[None]:
    """Read what is stored of all sub-devices, in slices, so that what asks for all of it later finds it read."""
    for some in batched(list(entry.subentries.values()), SLICE, strict=False):
        for subentry in some:
            if subentry.subentry_type == SUBENTRY_SUB_DEVICE:
                sub_device_row(subentry)
                rows_of(subentry)
        yield


def identities_of(entry: ConfigEntry) -> dict[Identity, str]:
    """Return the ids of the subentries of all sub-devices that can be read, by their names."""
    rows = {
        subentry_id: sub_device_row(subentry)
        for subentry_id, subentry in entry.subentries.items()
        if subentry.subentry_type == SUBENTRY_SUB_DEVICE
    }
    return {row.identity: subentry_id for subentry_id, row in rows.items() if isinstance(row, SubDeviceRow)}


def stored_secrets(entry: ConfigEntry) -> list[str]:
    """Return all secrets that an entry stores, also in rows that cannot be read."""
    stored = (entry.data, *(subentry.data for subentry in entry.subentries.values()))
    found = (data.get(name) for data in stored for name in (CONF_DEVICE_SECRET, CONF_PRODUCT_SECRET))
    return [secret for secret in found if isinstance(secret, str) and secret]


@callback
def add_sub_devices(hass: HomeAssistant, entry: ConfigEntry, devices: Iterable[NewSubDevice]) -> list[str]:
    """Store sub-devices, a subentry each, and return the ids of the subentries.

    The running entry brings them online: it registers those without a secret, adds them to the topology and logs them in. Names
    that the entry has already are left out.
    """
    own = Identity(entry.data[CONF_PRODUCT_KEY], entry.data[CONF_DEVICE_NAME])
    taken = {unique_id_of(own), *(subentry.unique_id for subentry in entry.subentries.values())}
    added: list[str] = []
    for device in devices:
        if device.row.unique_id in taken:
            continue
        taken.add(device.row.unique_id)
        subentry = ConfigSubentry(
            data=MappingProxyType({**device.row.as_dict(), **exposure_data(device.bindings)}),
            subentry_type=SUBENTRY_SUB_DEVICE,
            title=device.title,
            unique_id=device.row.unique_id,
        )
        hass.config_entries.async_add_subentry(entry, subentry)
        added.append(subentry.subentry_id)
    return added


async def async_add_sub_devices(hass: HomeAssistant, entry: ConfigEntry, devices: Iterable[NewSubDevice]) -> list[str]:
    """Do what `add_sub_devices` does, with pauses in which Home Assistant does other things."""
    added: list[str] = []
    for some in batched(devices, AT_ONCE, strict=False):
        added += add_sub_devices(hass, entry, some)
        await asyncio.sleep(0)
    return added


@callback
def remove_sub_device(hass: HomeAssistant, entry: ConfigEntry, subentry: ConfigSubentry) -> None:
    """Remove a sub-device with everything that is bound of it; the running entry takes it out of the topology."""
    for each in [one for one in entry.subentries.values() if one.data.get("owner") == subentry.subentry_id]:
        hass.config_entries.async_remove_subentry(entry, each.subentry_id)
    hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)


@callback
def store_row(hass: HomeAssistant, entry: ConfigEntry, subentry: ConfigSubentry, row: SubDeviceRow) -> None:
    """Replace the identity in the subentry of a sub-device, and keep what is bound."""
    data = {**row.as_dict(), CONF_BINDINGS: subentry.data.get(CONF_BINDINGS, [])}
    hass.config_entries.async_update_subentry(entry, subentry, data=data, unique_id=row.unique_id)
