"""Where the page is, for links to it."""

from typing import Final

from ..const import OWN

URL_PATH: Final = "aliyun-iot"


def panel_path(entry_id: str, page: str = "bindings", *, states: str = "", owner: str = OWN) -> str:
    """Return the path of a page about an entry; `states` are those to filter bindings by, `owner` is a sub-device."""
    query = "&".join(f"{name}={value}" for name, value in (("state", states), ("device", owner)) if value)
    return f"/{URL_PATH}/{entry_id}/{page}{f'?{query}' if query else ''}"
