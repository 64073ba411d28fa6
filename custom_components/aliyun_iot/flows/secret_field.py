"""The field for a secret."""

from typing import Final

from homeassistant.helpers.selector import TextSelector, TextSelectorConfig, TextSelectorType

# With "new-password" the browser neither fills in nor stores the user's Home Assistant password.
SECRET_SELECTOR: Final = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="new-password"))
