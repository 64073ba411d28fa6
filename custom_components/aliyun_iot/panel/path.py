"""Where the page is, for links to it."""

from typing import Final

from homeassistant.config_entries import ConfigEntry

from ..const import OWN
from ..stored_device import sub_devices_of

URL_PATH: Final = "aliyun-iot"


def panel_path(entry_id: str, page: str = "bindings", *, states: str = "", owner: str = OWN) -> str:
    """Return the path of a page about an entry; `states` are those to filter bindings by, `owner` is a sub-device."""
    query = "&".join(f"{name}={value}" for name, value in (("state", states), ("device", owner)) if value)
    return f"/{URL_PATH}/{entry_id}/{page}{f'?{query}' if query else ''}"


def affected_path(entry: ConfigEntry, owner: str, states: str) -> str:
    """Return the path of the bindings of one device in these states."""
    others = bool(sub_devices_of(entry))
    return panel_path(entry.entry_id, states=states, owner=owner or ("own" if others else OWN))
