"""Choice helpers."""

from .select import select_domain

DOMAIN = select_domain("input_select")
