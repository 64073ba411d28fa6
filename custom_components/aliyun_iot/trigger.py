"""Triggers for automations: what the cloud commands, and what becomes of the connection.

Every trigger names the device by its config entry and has in `trigger` what happened; see `docs/automations.md`.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, cast, override

from homeassistant.const import CONF_OPTIONS
from homeassistant.core import CALLBACK_TYPE, Context, HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.trigger import Trigger, TriggerActionRunner, TriggerConfig, TriggerNotTriggeredReporter
from homeassistant.helpers.typing import ConfigType
import voluptuous as vol

from .listeners import Happening, Listener, listeners_of

ATTR_CONFIG_ENTRY_ID = "config_entry_id"
ATTR_IDENTIFIER = "identifier"
ATTR_TOPIC = "topic"

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
            run_action(dict(details), description, context)

        wanted = self._options.get(self.filter) if self.filter else None
        return listeners_of(self._hass).add(Listener(self._options[ATTR_CONFIG_ENTRY_ID], self.happening, wanted, hear))


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


class PropertySetTrigger(NamedTrigger):
    """Triggers when the cloud sets properties."""

    happening = Happening.PROPERTY_SET_RECEIVED
    description = "property set by Alibaba Cloud"


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
    if not topic or any(not level for level in topic.split("/")):
        raise vol.Invalid("expected the topic after /user/, such as get or alarm/night, without empty levels")
    if "+" in topic or "#" in topic:
        raise vol.Invalid("a trigger listens to one topic; + and # are not possible")
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
