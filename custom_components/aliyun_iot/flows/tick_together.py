"""The field that selects or deselects many suggested bindings at once: all, or those of one aspect or of one type of entity."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import SelectOptionDict, SelectSelector, SelectSelectorConfig, SelectSelectorMode

from ..exposures import resolve_entity
from ..mapping.binding import Binding
from ..mapping.generic import aspect_for
from ..words.integration_names import integration_names
from ..words.labels import Labels

CONF_TOGETHER: Final = "together"

_ALL: Final = "all"
_ASPECT: Final = "aspect"
_TYPE: Final = "type"
_TICK: Final = "tick"
_UNTICK: Final = "untick"


async def together_field(labels: Labels, offered: Mapping[str, Binding]) -> SelectSelector:
    """Return the field. The value of an option is like `untick.aspect.brightness`."""
    groups = Counter(group for binding in offered.values() for group in _groups(labels.hass, binding))
    domains = {_type(labels.hass, binding) for binding in offered.values()}
    types = await integration_names(labels.hass, domains, labels.language)
    names = {_ALL: labels.text("common.tick_all")} | {f"{_TYPE}.{domain}": name for domain, name in types.items()}
    for binding in offered.values():
        if aspect := aspect_for(binding, resolve_entity(labels.hass, binding.entity) or ""):
            names.setdefault(f"{_ASPECT}.{binding.aspect}", labels.aspect(aspect))
    return SelectSelector(
        SelectSelectorConfig(
            options=[
                SelectOptionDict(
                    value=f"{way}.{group}",
                    label=labels.text(f"common.{way}", what=names.get(group, group), count=str(size)),
                )
                for group, size in sorted(groups.items(), key=lambda item: (item[0] != _ALL, item))
                if size > 1
                for way in (_UNTICK, _TICK)
            ],
            multiple=True,
            mode=SelectSelectorMode.DROPDOWN,
        )
    )


def ticked_together(
    hass: HomeAssistant, offered: Mapping[str, Binding], ticked: Iterable[str], together: Iterable[str]
) -> set[str]:
    """Return the identifiers that are ticked after the chosen options have been carried out one after the other."""
    chosen = set(ticked)
    for option in together:
        way, _, group = option.partition(".")
        members = {key for key, binding in offered.items() if group in _groups(hass, binding)}
        chosen = chosen | members if way == _TICK else chosen - members
    return chosen


def _groups(hass: HomeAssistant, binding: Binding) -> tuple[str, ...]:
    return _ALL, f"{_ASPECT}.{binding.aspect}", f"{_TYPE}.{_type(hass, binding)}"


def _type(hass: HomeAssistant, binding: Binding) -> str:
    return (resolve_entity(hass, binding.entity) or "").partition(".")[0]
