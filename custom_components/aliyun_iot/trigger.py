"""Triggers for automations: what the cloud commands, and what becomes of the connection.

Every trigger names the device by its config entry and has in `trigger` what happened; see `docs/automations.md`.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, cast, override

from homeassistant.const import ATTR_CONFIG_ENTRY_ID, CONF_OPTIONS
from homeassistant.core import CALLBACK_TYPE, Context, HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.trigger import Trigger, TriggerActionRunner, TriggerConfig, TriggerNotTriggeredReporter
from homeassistant.helpers.typing import ConfigType
import voluptuous as vol

from .alink.topics import Topics
from .listeners import Happening, Listener, listeners_of

ATTR_IDENTIFIER = "identifier"
ATTR_TOPIC = "topic"
ATTR_VALUE = "value"

_ENTRY = {vol.Required(ATTR_CONFIG_ENTRY_ID): cv.string}


class CloudTrigger(Trigger):
    """Triggers when something happens between one device and its cloud."""

    happening: ClassVar[Happening]
    description: ClassVar[str]
    filter: ClassVar[str | None] = None
    schema: ClassVar[vol.Schema] = vol.Schema({vol.Required(CONF_OPTIONS): _ENTRY})

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Listen to one device; the options were validated."""
        super().__init__(hass, config)
        self._options: Mapping[str, Any] = config.options or {}

    @classmethod
    @override
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Validate what is particular to the trigger."""
        return cast("ConfigType", cls.schema(config))

    @override
    async def async_attach_runner(
        self, run_action: TriggerActionRunner, did_not_trigger: TriggerNotTriggeredReporter | None = None
    ) -> CALLBACK_TYPE:
        """Run the action each time."""
        description = self.description

        @callback
        def hear(details: Mapping[str, Any], context: Context | None) -> None:
            if (payload := self.payload(details)) is not None:
                run_action(payload, description, context)

        wanted = self._options.get(self.filter) if self.filter else None
        return listeners_of(self._hass).add(Listener(self._options[ATTR_CONFIG_ENTRY_ID], self.happening, wanted, hear))

    def payload(self, details: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return what `trigger` has besides the usual, or None for what does not trigger."""
        return dict(details)


class ConnectedTrigger(CloudTrigger):
    """Triggers when the device has connected."""

    happening = Happening.CONNECTED
    description = "device connected to Alibaba Cloud"


class DisconnectedTrigger(CloudTrigger):
    """Triggers when the connection was lost."""

    happening = Happening.DISCONNECTED
    description = "device lost its connection to Alibaba Cloud"


class RawReceivedTrigger(CloudTrigger):
    """Triggers when the cloud sends a frame in the product's own format."""

    happening = Happening.RAW_RECEIVED
    description = "raw data from Alibaba Cloud"


class NamedTrigger(CloudTrigger):
    """Triggers on one property or service, or on any."""

    filter = ATTR_IDENTIFIER
    schema = vol.Schema({vol.Required(CONF_OPTIONS): {**_ENTRY, vol.Optional(ATTR_IDENTIFIER): cv.string}})


def _value_needs_identifier(options: dict[str, Any]) -> dict[str, Any]:
    if ATTR_VALUE in options and ATTR_IDENTIFIER not in options:
        raise vol.Invalid("a value can be compared only if identifier names the property", path=[ATTR_VALUE])
    return options


class PropertySetTrigger(NamedTrigger):
    """Triggers when the cloud sets properties; with an identifier, `trigger.value` is what that one is set to."""

    happening = Happening.PROPERTY_SET_RECEIVED
    description = "property set by Alibaba Cloud"
    schema = vol.Schema(
        {
            vol.Required(CONF_OPTIONS): vol.All(
                {**_ENTRY, vol.Optional(ATTR_IDENTIFIER): cv.string, vol.Optional(ATTR_VALUE): object},
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
    """Tell whether a value from the wire is the one in a form, where a number may be text."""
    if isinstance(value, int | float) and isinstance(wanted, str):
        try:
            return value == float(wanted)
        except ValueError:
            return False
    return value == wanted


class ServiceCalledTrigger(NamedTrigger):
    """Triggers when the cloud calls a service; it can be answered by the action `aliyun_iot.reply`."""

    happening = Happening.SERVICE_CALLED
    description = "service called by Alibaba Cloud"


class PropertyRejectedTrigger(NamedTrigger):
    """Triggers when the cloud does not take a value."""

    happening = Happening.PROPERTY_REJECTED
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
    """Triggers when a message comes on a topic of the user's own; the device subscribes to it for that."""

    happening = Happening.MESSAGE_RECEIVED
    description = "message from Alibaba Cloud"
    filter = ATTR_TOPIC
    schema = vol.Schema({vol.Required(CONF_OPTIONS): {**_ENTRY, vol.Required(ATTR_TOPIC): _user_topic}})


_TRIGGERS: dict[str, type[Trigger]] = {
    trigger.happening.value: trigger
    for trigger in (
        ConnectedTrigger,
        DisconnectedTrigger,
        MessageReceivedTrigger,
        PropertyRejectedTrigger,
        PropertySetTrigger,
        RawReceivedTrigger,
        ServiceCalledTrigger,
    )
}


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Return the triggers of this integration."""
    return _TRIGGERS
