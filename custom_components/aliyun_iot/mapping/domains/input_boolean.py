"""Toggle helpers."""

from ..on_off import switched_domain

DOMAIN = switched_domain("input_boolean")
