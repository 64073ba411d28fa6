"""Number helpers."""

from .number import number_domain

DOMAIN = number_domain("input_number")
