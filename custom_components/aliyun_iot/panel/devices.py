"""The devices of an entry as the page shows them: whether each is online, since when, and why not."""

from homeassistant.config_entries import ConfigEntry

from ..alink.messages import JsonValue
from ..const import CONF_DEVICE_NAME, CONF_PRODUCT_KEY, OWN
from ..runtime import Runtime
from ..stored_device import StoredDevice, sub_devices_of
from ..words.labels import Labels


def devices_view(entry: ConfigEntry, runtime: Runtime, labels: Labels) -> dict[str, JsonValue]:
    """Return the devices by owner, the entry's own one first."""
    stored = [StoredDevice(entry), *sub_devices_of(entry)]
    return {device.owner: _device(device, runtime, labels) for device in stored}


def _device(stored: StoredDevice, runtime: Runtime, labels: Labels) -> dict[str, JsonValue]:
    running = runtime.cloud_device(stored.owner)
    shown: dict[str, JsonValue] = {
        "title": stored.title,
        "product_key": str(stored.data.get(CONF_PRODUCT_KEY, "")),
        "device_name": str(stored.data.get(CONF_DEVICE_NAME, "")),
        "online": running is not None and running.online,
        "since": None,
        "why": "",
        "bound": len(running.bound.by_identifier) if running else 0,
        "problems": len(running.problems()) if running else 0,
    }
    if stored.owner == OWN:
        return shown
    state = runtime.sub_devices.state(stored.owner)
    if state is None:
        return shown | {"why": labels.text("common.panel_not_running")}
    why = labels.text(f"common.sub_device_{state.error.key if state.error else state.state}")
    return shown | {"since": round(state.since / 1000), "why": "" if shown["online"] else why}
