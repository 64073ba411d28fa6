"""To-do lists: how many items are open, and an item to add. What the items are is in no state.

The constants of Home Assistant's `todo` are repeated here: importing it loads half of the frontend.
"""

from collections.abc import Mapping
from enum import IntFlag

from homeassistant.core import State

from ..aspect import ActionCall, Aspect, Domain, Kind, Value, WholeState
from ..attributes import COUNT_RANGE, fixed_range, has_feature, number

NAME = "todo"
ADD = "add_item"


class Feature(IntFlag):
    """What a list supports."""

    CREATE_TODO_ITEM = 1


def _plan(_: State, values: Mapping[str, Value]) -> list[ActionCall]:
    return [ActionCall(NAME, "add_item", {"item": values[ADD]})]


DOMAIN = Domain(
    name=NAME,
    aspects=(
        Aspect(
            key="open_items",
            kind=Kind.NUMBER,
            name_en="Open items",
            name_zh="待办数量",
            source=WholeState(lambda state: number(state.state)),
            range=fixed_range(COUNT_RANGE),
            identifiers=("OpenItems", "TodoCount"),
        ),
        Aspect(
            key=ADD,
            kind=Kind.TEXT,
            name_en="Add an item",
            name_zh="添加待办",
            source=lambda _: None,
            writable=True,
            supported=has_feature(Feature.CREATE_TODO_ITEM),
            momentary=True,
            identifiers=("AddTodoItem",),
        ),
    ),
    plan=_plan,
)
