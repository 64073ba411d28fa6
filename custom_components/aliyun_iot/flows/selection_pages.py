"""Binding many entities at once: choose them, look at what would stand for what, see what saving would do.

The options flow and the flow of a rule show the same pages; nothing is saved before the last of them.
"""

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.data_entry_flow import FlowContext, FlowHandler, FlowResult
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import voluptuous as vol

from ..const import CONF_BINDINGS
from ..exposures import entity_reference, exposed_bindings
from ..labels import Labels
from ..mapping.binding import Binding
from ..mapping.rule import Rule
from ..mapping.selection import select
from ..rules import Changes, changes_by_rules, facet_of, rules_of
from ..runtime import thing_model_of
from .preview import preview
from .selection_form import CONF_FOLLOW, CONF_TARGET, read_selection, selection_schema, selection_values

NAMED = 5
"""Entities that the page with the suggestions names of those that it has nothing for."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody is about to save: a rule, which is carried out once unless `follow` is set."""

    rule_id: str
    rule: Rule
    follow: bool


class SelectionPages[Context: FlowContext, Result: FlowResult[Any, Any], Handler](
    FlowHandler[Context, Result, Handler]
):
    """Choose entities and bind them; a flow says what is chosen at first, and saves."""

    _draft: Draft | None = None
    _previewed: Changes | None = None

    @abstractmethod
    def bound_entry(self) -> ConfigEntry:
        """Return the entry that the bindings belong to."""

    @abstractmethod
    def first_draft(self) -> Draft:
        """Return what the pages start with."""

    @abstractmethod
    def asks_to_follow(self) -> bool:
        """Tell whether to follow is for the user to choose."""

    @abstractmethod
    async def finish_draft(self, draft: Draft, changes: Changes) -> Result:
        """Save what has been looked at, and finish."""

    async def async_step_select(self, user_input: dict[str, Any] | None = None) -> Result:
        """Ask which entities are meant, and which are not."""
        draft = self._draft or self.first_draft()
        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                selection = read_selection(self.hass, user_input)
            except vol.Invalid:
                errors = {CONF_TARGET: "invalid_selection"}
            else:
                follow = user_input.get(CONF_FOLLOW, draft.follow)
                draft = replace(draft, rule=replace(draft.rule, selection=selection), follow=follow)
                self._draft = draft
                if not selection.include:
                    errors = {CONF_TARGET: "nothing_selected"}
                elif self._offered(draft):
                    return await self.async_step_suggestions()
                elif follow:
                    return await self.async_step_preview()
                else:
                    errors = {"base": "nothing_fits"}
        selection = draft.rule.selection
        values = user_input or {**selection_values(self.hass, selection), CONF_FOLLOW: draft.follow}
        return self.async_show_form(
            step_id="select",
            data_schema=self.add_suggested_values_to_schema(
                await selection_schema(self.hass, selection, follow=self.asks_to_follow()), values
            ),
            errors=errors,
            last_step=False,
        )

    async def async_step_suggestions(self, user_input: dict[str, Any] | None = None) -> Result:
        """Show what would stand for what, to be ticked or not."""
        draft = self._drafted()
        offered = {binding.identifier: binding for binding in self._offered(draft)}
        errors: dict[str, str] = {}
        if user_input is not None:
            chosen = user_input[CONF_BINDINGS]
            if not chosen and not draft.follow:
                errors = {CONF_BINDINGS: "nothing_selected"}
            elif not offered.keys() >= set(chosen):
                # Somebody else was quicker with one of the identifiers.
                errors = {CONF_BINDINGS: "changed_meanwhile"}
            else:
                left_out = draft.rule.left_out.difference(map(facet_of, offered.values())).union(
                    facet_of(binding) for identifier, binding in offered.items() if identifier not in chosen
                )
                self._draft = replace(draft, rule=replace(draft.rule, left_out=left_out))
                return await self.async_step_preview()
        labels = await Labels.load(self.hass)
        model = thing_model_of(self.bound_entry())
        choice = SelectSelector(
            SelectSelectorConfig(
                options=[
                    SelectOptionDict(value=identifier, label=labels.binding(binding, model))
                    for identifier, binding in offered.items()
                ],
                multiple=True,
                mode=SelectSelectorMode.LIST,
            )
        )
        # Ticked by suggestion and not by default: what is left out must never come back by itself.
        ticked = [
            identifier
            for identifier, binding in offered.items()
            if (identifier in user_input[CONF_BINDINGS] if user_input else facet_of(binding) not in draft.rule.left_out)
        ]
        return self.async_show_form(
            step_id="suggestions",
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema({vol.Required(CONF_BINDINGS): choice}), {CONF_BINDINGS: ticked}
            ),
            errors=errors,
            description_placeholders={
                "count": str(len(offered)),
                "left_out": self._without_suggestion(labels, draft, offered.values()),
            },
            last_step=False,
        )

    async def async_step_preview(self, user_input: dict[str, Any] | None = None) -> Result:
        """Show what saving would do, and save."""
        draft = self._drafted()
        changes = self._changes(draft)
        errors: dict[str, str] = {}
        if user_input is not None:
            if changes == self._previewed:
                return await self.finish_draft(draft, changes)
            errors = {"base": "changed_meanwhile"}
        self._previewed = changes
        labels = await Labels.load(self.hass)
        text = preview(
            labels,
            self.bound_entry(),
            thing_model_of(self.bound_entry()),
            draft.rule.selection,
            [binding for binding in changes.added if binding.rule == draft.rule_id],
            [binding for binding in changes.released if binding.rule == draft.rule_id],
        )
        return self.async_show_form(
            step_id="preview",
            data_schema=vol.Schema({}),
            errors=errors,
            description_placeholders={"preview": text or labels.text("common.preview_nothing")},
        )

    def _drafted(self) -> Draft:
        assert self._draft is not None  # noqa: S101 - the page before has made it
        return self._draft

    def _changes(self, draft: Draft) -> Changes:
        entry = self.bound_entry()
        rules = {**rules_of(entry), draft.rule_id: draft.rule}
        return changes_by_rules(self.hass, entry, rules, thing_model_of(entry))

    def _offered(self, draft: Draft) -> list[Binding]:
        """Return what the draft has bound already, and all that it could bind, even what was left out before."""
        everything = replace(draft, rule=Rule(draft.rule.selection))
        changes = self._changes(everything)
        elsewhere = {binding.identifier for binding in (*changes.released, *changes.passed_on)}
        kept = [binding for binding in exposed_bindings(self.bound_entry()) if binding.identifier not in elsewhere]
        return [binding for binding in (*kept, *changes.passed_on, *changes.added) if binding.rule == draft.rule_id]

    def _without_suggestion(self, labels: Labels, draft: Draft, offered: Iterable[Binding]) -> str:
        """Return which of the selected entities nothing is suggested for; the page that follows says why."""
        covered = {binding.entity for binding in offered}
        left_out = [
            labels.entity(entity_id)
            for entity_id in select(self.hass, draft.rule.selection)
            if entity_reference(self.hass, entity_id) not in covered
        ]
        if not left_out:
            return ""
        more = [labels.text("common.and_more", count=str(len(left_out) - NAMED))] if len(left_out) > NAMED else []
        return labels.text("common.left_out", entities=labels.listed([*left_out[:NAMED], *more]))
