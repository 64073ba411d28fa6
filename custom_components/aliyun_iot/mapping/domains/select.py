"""Choices between options of their own."""

from collections.abc import Mapping

from homeassistant.components.select import ATTR_OPTION, ATTR_OPTIONS, SERVICE_SELECT_OPTION
from homeassistant.core import State

from ..aspect import ActionCall, Aspect, Domain, Kind, Value
from ..attributes import text, texts_of

OPTION = "option"


def select_domain(name: str) -> Domain:
    """Return a domain whose entities hold one of their options; `select` and `input_select` differ in their name."""

    def plan(_: State, values: Mapping[str, Value]) -> list[ActionCall]:
        return [ActionCall(name, SERVICE_SELECT_OPTION, {ATTR_OPTION: values[OPTION]})]

    option = Aspect(
        key=OPTION,
        kind=Kind.ENUM,
        name_en="Option",
        name_zh="选项",
        source=lambda state: text(state.state),
        writable=True,
        options=texts_of(ATTR_OPTIONS),
    )
    return Domain(name=name, aspects=(option,), plan=plan)


DOMAIN = select_domain("select")
