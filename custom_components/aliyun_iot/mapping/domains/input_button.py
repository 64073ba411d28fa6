"""Button helpers."""

from homeassistant.components.button.const import SERVICE_PRESS

from ..press import button_domain

DOMAIN = button_domain("input_button", SERVICE_PRESS)
