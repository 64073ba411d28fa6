"""Notifier, to-do list and calendar."""

from datetime import UTC, datetime
from typing import ClassVar

from homeassistant.components.calendar import CalendarEntity, CalendarEvent
from homeassistant.components.notify import NotifyEntity, NotifyEntityFeature
from homeassistant.components.todo import TodoItem, TodoItemStatus, TodoListEntity, TodoListEntityFeature


class Phone(NotifyEntity):
    """A phone that records the messages."""

    _attr_name = "thing"
    _attr_supported_features = NotifyEntityFeature.TITLE
    received: ClassVar[list[tuple[str, str | None]]] = []

    async def async_send_message(self, message: str, title: str | None = None) -> None:
        """Record a message and its title."""
        self.received.append((message, title))


class Shopping(TodoListEntity):
    """A shopping list with one open item."""

    _attr_name = "thing"
    _attr_supported_features = TodoListEntityFeature.CREATE_TODO_ITEM

    def __init__(self) -> None:
        """Write the first items."""
        self._attr_todo_items = [
            TodoItem("Tea", status=TodoItemStatus.NEEDS_ACTION),
            TodoItem("Rice", status=TodoItemStatus.COMPLETED),
        ]

    async def async_create_todo_item(self, item: TodoItem) -> None:
        """Add an item."""
        self._attr_todo_items = [*(self._attr_todo_items or []), item]


class Agenda(CalendarEntity):
    """A calendar with one long event."""

    _attr_name = "thing"

    @property
    def event(self) -> CalendarEvent:
        """Return the event."""
        return CalendarEvent(datetime(2020, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC), "Holiday")
