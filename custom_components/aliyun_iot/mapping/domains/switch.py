"""Switches and sockets."""

from ..on_off import switched_domain

DOMAIN = switched_domain("switch", "PowerSwitch", "SocketSwitch", "Switch")
