"""Options of an entity, set by name, or with a command that steps through them."""

from collections.abc import Mapping
from dataclasses import replace

from homeassistant.components.select import (
    ATTR_OPTION,
    ATTR_OPTIONS,
    SERVICE_SELECT_FIRST,
    SERVICE_SELECT_LAST,
    SERVICE_SELECT_NEXT,
    SERVICE_SELECT_OPTION,
    SERVICE_SELECT_PREVIOUS,
)
from homeassistant.core import State

from ..aspect import ActionCall, Aspect, Domain, Kind, Reason, Refused, Value
from ..attributes import text, texts_of
from ..momentary import COMMAND, Command, CommandSet

OPTION = "option"


def select_domain(name: str) -> Domain:
    """Return a domain whose entities have options; `select` and `input_select` differ only in their name."""
    steps = CommandSet(
        name,
        {
            "next": Command(SERVICE_SELECT_NEXT),
            "previous": Command(SERVICE_SELECT_PREVIOUS),
            "first": Command(SERVICE_SELECT_FIRST),
            "last": Command(SERVICE_SELECT_LAST),
        },
    )

    def plan(state: State, values: Mapping[str, Value]) -> list[ActionCall]:
        if COMMAND not in values:
            return [ActionCall(name, SERVICE_SELECT_OPTION, {ATTR_OPTION: values[OPTION]})]
        if OPTION in values:
            raise Refused(Reason.CONFLICT, f"{state.entity_id} takes an option or a step, not both at once")
        return [steps.call(values[COMMAND])]

    option = Aspect(
        key=OPTION,
        kind=Kind.ENUM,
        name_en="Option",
        name_zh="选项",
        source=lambda state: text(state.state),
        writable=True,
        options=texts_of(ATTR_OPTIONS),
    )
    step = replace(steps.aspect("SelectCommand", name_en="Step", name_zh="切换选项"), alternative=True)
    return Domain(name=name, aspects=(option, step), plan=plan)


DOMAIN = select_domain("select")
