"""Triggers for automations: commands of the cloud, and changes of the connection.

Every trigger names the device by its config entry, and a sub-device by its device as well; `docs/automations.md` lists what
is in `trigger`. Automations get the values as the cloud sent them, private ones included: they need them to act.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, cast, override

from homeassistant.const import CONF_OPTIONS
from homeassistant.core import CALLBACK_TYPE, Context, HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.trigger import Trigger, TriggerActionRunner, TriggerConfig, TriggerNotTriggeredReporter
from homeassistant.helpers.typing import ConfigType
import voluptuous as vol

from .addressed import DEVICE, device_key
from .alink.model.numeric import to_number
from .alink.topics import Topics
from .listeners import Listener, TriggerKind, listeners_of

ATTR_IDENTIFIER = "identifier"
ATTR_TOPIC = "topic"
ATTR_VALUE = "value"


class CloudTrigger(Trigger):
    """Base of the triggers of one device; `name_option` is the option that selects a property, service or topic."""

    kind: ClassVar[TriggerKind]
    description: ClassVar[str]
    name_option: ClassVar[str | None] = None
    schema: ClassVar[vol.Schema] = vol.Schema({vol.Required(CONF_OPTIONS): DEVICE})

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Keep the options, which were validated."""
        super().__init__(hass, config)
        self._options: dict[str, Any] = config.options or {}

    @classmethod
    @override
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Validate the options of the trigger; raises vol.Invalid."""
        validated = cast("ConfigType", cls.schema(config))
        device_key(hass, validated[CONF_OPTIONS])
        return validated

    @override
    async def async_attach_runner(
        self, run_action: TriggerActionRunner, did_not_trigger: TriggerNotTriggeredReporter | None = None
    ) -> CALLBACK_TYPE:
        """Run the action whenever the trigger fires; return a function that ends this."""
        description = self.description

        @callback
        def notify(details: Mapping[str, Any], context: Context | None) -> None:
            if (payload := self.payload(details)) is not None:
                run_action(payload, description, context)

        name = self._options.get(self.name_option) if self.name_option else None
        return listeners_of(self._hass).add(Listener(device_key(self._hass, self._options), self.kind, name, notify))

    def payload(self, details: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the variables in `trigger`, or None if the automation is not to be triggered."""
        return dict(details)


class ConnectedTrigger(CloudTrigger):
    """Triggers when the device has connected."""

    kind = TriggerKind.CONNECTED
    description = "device connected to Alibaba Cloud"


class DisconnectedTrigger(CloudTrigger):
    """Triggers when the connection was lost."""

    kind = TriggerKind.DISCONNECTED
    description = "device lost its connection to Alibaba Cloud"


class RawReceivedTrigger(CloudTrigger):
    """Triggers when the cloud sends a frame in the product's own format."""

    kind = TriggerKind.RAW_RECEIVED
    description = "raw data from Alibaba Cloud"


class NamedTrigger(CloudTrigger):
    """Base of the triggers for one property or service, or for any."""

    name_option = ATTR_IDENTIFIER
    schema = vol.Schema({vol.Required(CONF_OPTIONS): {**DEVICE, vol.Optional(ATTR_IDENTIFIER): cv.string}})


def _value_needs_identifier(options: dict[str, Any]) -> dict[str, Any]:
    if ATTR_VALUE in options and ATTR_IDENTIFIER not in options:
        raise vol.Invalid("a value can be compared only if identifier names the property", path=[ATTR_VALUE])
    return options


class PropertySetTrigger(NamedTrigger):
    """Triggers when the cloud sets properties; with an identifier, `trigger.value` is the value of that property."""

    kind = TriggerKind.PROPERTY_SET_RECEIVED
    description = "property set by Alibaba Cloud"
    schema = vol.Schema(
        {
            vol.Required(CONF_OPTIONS): vol.All(
                {**DEVICE, vol.Optional(ATTR_IDENTIFIER): cv.string, vol.Optional(ATTR_VALUE): object},
                _value_needs_identifier,
            )
        }
    )

    @override
    def payload(self, details: Mapping[str, Any]) -> dict[str, Any] | None:
        if (identifier := self._options.get(ATTR_IDENTIFIER)) is None:
            return dict(details)
        value = details["values"][identifier]
        if ATTR_VALUE in self._options and not _same(value, self._options[ATTR_VALUE]):
            return None
        return {**details, "identifier": identifier, "value": value}


def _same(value: object, wanted: object) -> bool:
    """Return whether a value from the wire equals the one entered in a form, where a number may be text."""
    return value == (to_number(wanted) if isinstance(value, int | float) and isinstance(wanted, str) else wanted)


class ServiceCalledTrigger(NamedTrigger):
    """Triggers when the cloud calls a service; the action `aliyun_iot.reply` can answer it."""

    kind = TriggerKind.SERVICE_CALLED
    description = "service called by Alibaba Cloud"


class PropertyRejectedTrigger(NamedTrigger):
    """Triggers when the cloud rejects a value."""

    kind = TriggerKind.PROPERTY_REJECTED
    description = "property rejected by Alibaba Cloud"


def _user_topic(value: object) -> str:
    """Validate the part of a user topic after `/user/`; raises vol.Invalid (`docs/protocol.md` §12.7)."""
    topic = cv.string(value).removeprefix("/").removeprefix("user/")
    try:
        Topics("", "").user(topic)
    except ValueError as err:
        raise vol.Invalid(f"expected the topic after /user/, such as get or alarm/night, but {err}") from err
    return topic


class MessageReceivedTrigger(CloudTrigger):
    """Triggers when a message arrives on a user topic, to which the device subscribes for this."""

    kind = TriggerKind.MESSAGE_RECEIVED
    description = "message from Alibaba Cloud"
    name_option = ATTR_TOPIC
    schema = vol.Schema({vol.Required(CONF_OPTIONS): {**DEVICE, vol.Required(ATTR_TOPIC): _user_topic}})


class ConfigReceivedTrigger(CloudTrigger):
    """Triggers when the cloud has pushed a remote configuration, which was downloaded and checked."""

    kind = TriggerKind.CONFIG_RECEIVED
    description = "remote configuration from Alibaba Cloud"


class ShadowChangedTrigger(CloudTrigger):
    """Triggers when an application has changed the shadow of the device."""

    kind = TriggerKind.SHADOW_CHANGED
    description = "device shadow changed in Alibaba Cloud"


_TRIGGERS: dict[str, type[Trigger]] = {
    trigger.kind.value: trigger
    for trigger in (
        ConfigReceivedTrigger,
        ConnectedTrigger,
        DisconnectedTrigger,
        MessageReceivedTrigger,
        PropertyRejectedTrigger,
        PropertySetTrigger,
        RawReceivedTrigger,
        ServiceCalledTrigger,
        ShadowChangedTrigger,
    )
}


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Return the triggers of this integration."""
    return _TRIGGERS
