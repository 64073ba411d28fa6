"""The fields of the device triple and of the connection, which the pages of the config flow share."""

from collections.abc import Mapping
from typing import Any

from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
)
import voluptuous as vol

from ..alink.errors import TripleInvalid
from ..alink.host import HostKind
from ..alink.mqtt.endpoint import DEFAULT_REGION, REGIONS, Transport
from ..const import CONF_CA, CONF_ENDPOINT, CONF_HOST_KIND, CONF_PORT, CONF_TEXT_EVENTS, CONF_TRANSPORT

SECTION_ADVANCED = "advanced"

ADVANCED_FIELDS = {
    vol.Required(CONF_TRANSPORT, default=Transport.TLS.value): SelectSelector(
        SelectSelectorConfig(options=[transport.value for transport in Transport], translation_key=CONF_TRANSPORT)
    ),
    # No min and max: the selector would report a violation in English only.
    vol.Optional(CONF_PORT): NumberSelector(NumberSelectorConfig(mode=NumberSelectorMode.BOX)),
    vol.Optional(CONF_CA): TextSelector(TextSelectorConfig(multiline=True)),
    vol.Required(CONF_HOST_KIND, default=HostKind.ALIYUN.value): SelectSelector(
        SelectSelectorConfig(options=[kind.value for kind in HostKind], translation_key=CONF_HOST_KIND)
    ),
    vol.Required(CONF_TEXT_EVENTS, default=False): BooleanSelector(),
}

_DEFAULTS = {CONF_TRANSPORT: Transport.TLS, CONF_HOST_KIND: HostKind.ALIYUN, CONF_TEXT_EVENTS: False}

REGION_OR_HOST = SelectSelector(
    SelectSelectorConfig(
        options=[
            SelectOptionDict(value=region, label=f"{chinese} {english} · {region}")
            for region, (chinese, english) in REGIONS.items()
        ],
        custom_value=True,
        mode=SelectSelectorMode.DROPDOWN,
    )
)
"""The regions by their names in the console; an instance ID or a host can be entered as well."""


def connection_schema(
    fields: Mapping[Any, Any], advanced: vol.Schema, values: Mapping[str, Any], errors: Mapping[str, str]
) -> vol.Schema:
    """Return the fields and those for the connection.

    The advanced section is open if a value in it differs from the default, or if the connection failed.
    """
    given = dict(values.get(SECTION_ADVANCED, {}))
    # The data of an entry have other keys as well.
    differs = any(given[key] != _DEFAULTS.get(key) for key in map(str, advanced.schema) if key in given)
    return vol.Schema(
        {
            **fields,
            # Not a list of regions: most accounts have an instance ID, which has to be typed.
            vol.Required(CONF_ENDPOINT, default=DEFAULT_REGION): REGION_OR_HOST,
            vol.Required(SECTION_ADVANCED): section(
                advanced, {"collapsed": not differs and not {"base", SECTION_ADVANCED} & errors.keys()}
            ),
        }
    )


def entered_connection(user_input: Mapping[str, Any]) -> dict[str, str | int]:
    """Return the entry data for the connection, without the fields that are empty."""
    advanced = user_input[SECTION_ADVANCED]
    connection: dict[str, str | int] = {
        CONF_ENDPOINT: user_input[CONF_ENDPOINT].strip(),
        CONF_TRANSPORT: advanced[CONF_TRANSPORT],
    }
    if CONF_PORT in advanced:
        connection[CONF_PORT] = int(advanced[CONF_PORT])
    if certificate_authority := advanced.get(CONF_CA, "").strip():
        connection[CONF_CA] = certificate_authority
    for key in (CONF_HOST_KIND, CONF_TEXT_EVENTS):
        if advanced.get(key, _DEFAULTS[key]) != _DEFAULTS[key]:
            connection[key] = advanced[key]
    return connection


def triple_error(err: TripleInvalid) -> dict[str, str]:
    """Return the error of a malformed part of the triple, at its field."""
    return {err.field: f"invalid_{err.field}"}
