"""Remote configuration and the logs of devices. The platform has these in its console only (docs/protocol.md §12.2, §12.5)."""

from ..core.jsontext import JsonValue, dump
from ..core.ota import new_id
from ..core.product import Product, ThingConfig
from ..device_side.config import describe, describe_logs
from .call import Answer, Call
from .errors import BAD_PARAMETER, NO_CONFIG, ApiError

CONFIG_BYTES = 64 * 1024


async def set_config(call: Call) -> Answer:
    """Keep `ConfigContent`, JSON, as the configuration of a product; `Enabled` false switches the function off."""
    product = call.product()
    product.config_enabled = call.fields.boolean("Enabled", default=True)
    if product.config_enabled:
        _keep(call, product)
    return {"Data": {"ConfigId": product.config.id if product.config else ""}}


async def push_config(call: Call) -> Answer:
    """Send the configuration of a product to all its devices that are online, or to one; `ConfigContent` replaces it first."""
    product = call.product()
    _keep(call, product)
    if product.config is None or not product.config_enabled:
        raise ApiError(NO_CONFIG)
    named = call.fields.optional_text("DeviceName") is not None
    devices = [call.device()] if named else list(call.platform.registry.of_product(product.key))
    messages: list[JsonValue] = [
        call.platform.commands.notify(device, "thing/config/push", describe(product.config)).id
        for device in devices
        if device.online
    ]
    return {"Data": {"ConfigId": product.config.id, "MessageIds": messages}}


async def set_log_config(call: Call) -> Answer:
    """Ask a device for its logs with `Mode` 1, or not to post them any more with 0."""
    device, mode = call.device(), call.fields.integer("Mode")
    if mode not in (0, 1):
        raise ApiError(BAD_PARAMETER, "Mode is 0 or 1.")
    device.logs_enabled = mode == 1
    params = describe_logs(enabled=device.logs_enabled)
    return {"Data": {"MessageId": call.platform.commands.notify(device, "thing/config/log/push", params).id}}


async def query_logs(call: Call) -> Answer:
    """Return the logs that a device has posted."""
    return {"Data": {"List": {"LogInfo": list[JsonValue](call.device().logs)}}}


def _keep(call: Call, product: Product) -> None:
    if call.fields.optional("ConfigContent") is None:
        return
    content = dump(call.fields.json("ConfigContent")).encode()
    if len(content) > CONFIG_BYTES:
        raise ApiError(BAD_PARAMETER, "ConfigContent has at most 64 KB.")
    product.config = ThingConfig(new_id(), call.platform.files.add("config.json", content))
