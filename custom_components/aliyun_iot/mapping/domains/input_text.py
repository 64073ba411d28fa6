"""Text helpers."""

from .text import text_domain

DOMAIN = text_domain("input_text")
