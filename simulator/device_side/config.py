"""Remote configuration, of the device and of its logs (docs/protocol.md §12.2, §12.5)."""

from ..core.jsontext import JsonValue
from ..core.product import ThingConfig
from .uplink import Uplink, read_object, rejected


def get_config(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Return where the configuration of the product can be downloaded."""
    options = read_object(params)
    if options.get("configScope") != "product" or options.get("getType") != "file":
        raise rejected(460)
    product = uplink.device.product
    if not product.config_enabled:
        raise rejected(6713)
    if product.config is None:
        raise rejected(6710)
    return describe(product.config)


def describe(config: ThingConfig) -> JsonValue:
    """Return what the device needs to download a configuration."""
    return {
        "configId": config.id,
        "configSize": len(config.file.content),
        "sign": config.file.sha256,
        "signMethod": "Sha256",
        "url": config.file.url,
        "getType": "file",
    }


def get_log_config(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Return whether the device is to post its logs."""
    options = read_object(params)
    if options.get("getType") != "content":
        raise rejected(6717)
    if options.get("configScope") != "device":
        raise rejected(6718)
    return describe_logs(enabled=uplink.device.logs_enabled)


def describe_logs(*, enabled: bool) -> JsonValue:
    """Return the configuration of logs."""
    return {"getType": "content", "content": {"mode": int(enabled)}}
