"""Buttons: press, and the time of the last press. Buttons that restart or update a device are risky."""

from dataclasses import replace

from homeassistant.components.button import ButtonDeviceClass
from homeassistant.components.button.const import SERVICE_PRESS

from ..attributes import device_class
from ..press import button_domain

RISKY = {ButtonDeviceClass.RESTART, ButtonDeviceClass.UPDATE}

DOMAIN = replace(button_domain("button", SERVICE_PRESS), risky=lambda state: device_class(state) in RISKY)
