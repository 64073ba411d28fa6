"""Pages that bind many entities at once: selection, suggested bindings, preview.

The options flow and the subentry flow of a rule share these pages. Nothing is stored before the last one.
"""

from abc import abstractmethod
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.data_entry_flow import FlowContext, FlowResult
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import voluptuous as vol

from ..alink.model.thing_model import ThingModel
from ..const import CONF_BINDINGS, CONF_PRODUCT_KEY
from ..exposures import exposed_bindings, resolve_entity
from ..ha_internals import HomeAssistantChanged
from ..log_text import first_of
from ..mapping.binding import Binding
from ..mapping.rule import Rule, valid_product_key
from ..mapping.selection import select
from ..mapping.slices import Slices, at_once, in_slices
from ..mapping.suggest.suggestions import Obstacle, unmatched
from ..matched_rule import entity_aspect
from ..risk import risk_in
from ..rules import Changes, changes_in_slices, rules_of
from ..stored_device import thing_model_of
from ..words.labels import Labels
from ..words.markdown import Markdown, paragraphs
from ..words.model_texts import bullets
from ..words.preview import preview, preview_of_sub_devices
from .property_field import no_model_warning
from .safe_pages import SafePages
from .selection_form import CONF_FOLLOW, CONF_TARGET, read_selection, selection_schema, selection_values
from .tick_together import CONF_TOGETHER, ticked_together, together_field

MAX_ONE_BY_ONE = 10
"""With more suggestions than this, many can be selected or deselected at once."""

MAX_LISTED = 5
"""Entities without a suggestion that the page with the suggestions lists at most."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The state of the pages: a rule, which is carried out once and not stored unless `follow` is set."""

    rule_id: str
    rule: Rule
    follow: bool


class SelectionPages[Context: FlowContext, Result: FlowResult[Any, Any], Handler](SafePages[Context, Result, Handler]):
    """Choose entities and bind them; a flow defines the initial selection and how the result is stored."""

    _draft: Draft | None = None
    _previewed: Changes | None = None

    @abstractmethod
    def bound_entry(self) -> ConfigEntry:
        """Return the entry that the bindings belong to."""

    @abstractmethod
    def first_draft(self) -> Draft:
        """Return the initial draft."""

    @abstractmethod
    def asks_to_follow(self) -> bool:
        """Return whether the user can choose to follow the selection."""

    def sub_device_products(self) -> Collection[str] | None:
        """Return the products to offer for sub-devices, None if the pages make none."""
        return None

    @abstractmethod
    async def finish_draft(self, draft: Draft, changes: Changes) -> Result:
        """Store the previewed changes and finish."""

    async def async_step_select(self, user_input: dict[str, Any] | None = None) -> Result:
        """Ask for the entities to include and to exclude."""
        draft = self._draft or self.first_draft()
        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                selection = read_selection(self.hass, user_input)
            except vol.Invalid:
                errors = {CONF_TARGET: "invalid_selection"}
            else:
                product_key, errors = self._read_product(user_input)
                follow = user_input.get(CONF_FOLLOW, draft.follow)
                rule = replace(draft.rule, selection=selection, product_key=product_key)
                draft = replace(draft, rule=rule, follow=follow)
                self._draft = draft
                try:
                    if errors:
                        pass
                    elif not selection.include:
                        errors = {CONF_TARGET: "nothing_selected"}
                    elif product_key:
                        return await self.async_step_preview()
                    elif await self._offered(draft):
                        return await self.async_step_suggestions()
                    elif follow:
                        return await self.async_step_preview()
                    else:
                        errors = {"base": "nothing_fits"}
                except HomeAssistantChanged:
                    errors = {"base": "selection_failed"}
        selection = draft.rule.selection
        product = {CONF_PRODUCT_KEY: draft.rule.product_key} if draft.rule.product_key else {}
        values = user_input or {**selection_values(self.hass, selection), CONF_FOLLOW: draft.follow, **product}
        return self.async_show_form(
            step_id="select",
            data_schema=self.add_suggested_values_to_schema(
                await selection_schema(
                    self.hass, selection, follow=self.asks_to_follow(), products=self.sub_device_products()
                ),
                values,
            ),
            errors=errors,
            description_placeholders={
                "warning": no_model_warning(await Labels.load(self.hass), thing_model_of(self.bound_entry()))
            },
            last_step=False,
        )

    async def async_step_suggestions(self, user_input: dict[str, Any] | None = None) -> Result:
        """Show the suggested bindings to select from."""
        draft = self._drafted()
        offered = await self._offered(draft)
        errors: dict[str, str] = {}
        if user_input is not None:
            together: list[str] = user_input.get(CONF_TOGETHER, [])
            chosen = ticked_together(self.hass, offered, user_input[CONF_BINDINGS], together)
            seen = {entity_aspect(binding) for binding in offered.values()}
            unticked = {entity_aspect(binding) for identifier, binding in offered.items() if identifier not in chosen}
            known = offered.keys() >= set(chosen)
            draft = replace(draft, rule=replace(draft.rule, left_out=draft.rule.left_out - seen | unticked))
            self._draft, offered = draft, await self._offered(draft)
            if not known:
                # One of the identifiers has been bound elsewhere in the meantime.
                errors = {CONF_BINDINGS: "changed_meanwhile"}
            elif {entity_aspect(binding) for binding in offered.values()} - seen - draft.rule.left_out:
                # Unticking has freed a property for another entity, whose suggestion can be unticked as well.
                errors = {CONF_BINDINGS: "others_fit"}
            elif together:
                pass  # the list is shown again as it is ticked now
            elif not chosen and not draft.follow:
                errors = {CONF_BINDINGS: "nothing_selected"}
            else:
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
        # A suggested value and not a default, which would select everything again if the field were missing.
        ticked = [
            identifier for identifier, binding in offered.items() if entity_aspect(binding) not in draft.rule.left_out
        ]
        fields: dict[vol.Marker, Any] = {vol.Required(CONF_BINDINGS): choice}
        if len(offered) > MAX_ONE_BY_ONE:
            fields = {vol.Optional(CONF_TOGETHER): await together_field(labels, offered), **fields}
        return self.async_show_form(
            step_id="suggestions",
            data_schema=self.add_suggested_values_to_schema(vol.Schema(fields), {CONF_BINDINGS: ticked}),
            errors=errors,
            description_placeholders={
                "count": str(len(offered)),
                "left_out": self._without_suggestion(labels, draft, offered),
            },
            last_step=False,
        )

    async def async_step_preview(self, user_input: dict[str, Any] | None = None) -> Result:
        """Show what would change, and store it."""
        draft = self._drafted()
        # What is going to be stored must be right at this moment, so it is not computed in slices.
        changes = at_once(self._changes(draft)) if user_input is not None else await in_slices(self._changes(draft))
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
            draft.rule,
            [binding for binding in changes.added if binding.rule == draft.rule_id],
            [binding for binding in changes.released if binding.rule == draft.rule_id],
        )
        text = paragraphs(
            [preview_of_sub_devices(labels, self.bound_entry(), draft.rule_id, changes.sub_devices), text]
        )
        return self.async_show_form(
            step_id="preview",
            data_schema=vol.Schema({}),
            errors=errors,
            description_placeholders={"preview": text or labels.text("common.preview_nothing")},
        )

    def _read_product(self, user_input: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
        """Return the entered product of sub-devices, empty without one, and the errors of the field."""
        try:
            product_key = valid_product_key(user_input.get(CONF_PRODUCT_KEY, "").strip())
        except vol.Invalid:
            return "", {CONF_PRODUCT_KEY: "invalid_product_key"}
        if product_key == self.bound_entry().data[CONF_PRODUCT_KEY]:
            return "", {CONF_PRODUCT_KEY: "product_of_gateway"}
        return product_key, {}

    def _drafted(self) -> Draft:
        assert self._draft is not None  # noqa: S101 - set by the previous page
        return self._draft

    def _changes(self, draft: Draft) -> Slices[Changes]:
        entry = self.bound_entry()
        rules = {**rules_of(entry), draft.rule_id: draft.rule}
        return changes_in_slices(self.hass, entry, rules, thing_model_of(entry))

    async def _offered(self, draft: Draft) -> dict[str, Binding]:
        """Return the bindings that the draft has or could have, by identifier.

        Those that were left out before are offered again, unless another entity gets the property.
        """
        everything = replace(draft, rule=Rule(draft.rule.selection))
        drafts = [everything, draft] if draft.rule.left_out else [everything]
        return {binding.identifier: binding for each in drafts for binding in await self._bound_by(each)}

    async def _bound_by(self, draft: Draft) -> list[Binding]:
        """Return the bindings of the draft after it is stored."""
        changes = await in_slices(self._changes(draft))
        elsewhere = {binding.identifier for binding in (*changes.released, *changes.passed_on)}
        kept = [binding for binding in exposed_bindings(self.bound_entry()) if binding.identifier not in elsewhere]
        return [binding for binding in (*kept, *changes.passed_on, *changes.added) if binding.rule == draft.rule_id]

    def _without_suggestion(self, labels: Labels, draft: Draft, offered: Mapping[str, Binding]) -> Markdown:
        """Return the selected entities without a suggestion, first those whose property goes to another entity.

        The preview shows the reasons for the others.
        """
        bindings = (*exposed_bindings(self.bound_entry()), *offered.values())
        holders = {binding.identifier: binding for binding in bindings}
        covered = {resolve_entity(self.hass, binding.entity) for binding in offered.values()}
        left_out = [entity_id for entity_id in select(self.hass, draft.rule.selection) if entity_id not in covered]
        lost = _lost(labels, left_out, thing_model_of(self.bound_entry()), holders)
        rest = [labels.entity(entity_id) for entity_id in left_out if entity_id not in lost]
        parts: list[str] = [bullets(labels, list(lost.values()))] if lost else []
        if rest:
            named = first_of(rest, MAX_LISTED, labels.language)
            parts.append(labels.text("common.left_out", entities=labels.listed(named)))
        return paragraphs(parts)


def _lost(
    labels: Labels, entity_ids: Iterable[str], model: ThingModel | None, holders: Mapping[str, Binding]
) -> dict[str, str]:
    """Return a line for each entity whose property another entity has or gets, by entity id."""
    states = [state for entity_id in entity_ids if (state := labels.hass.states.get(entity_id))]
    lost: dict[str, str] = {}
    for row in unmatched(states, model, (), risk_in(labels.hass)):
        holder = holders.get(row.identifier)
        winner = resolve_entity(labels.hass, holder.entity) if holder else None
        if row.obstacle is Obstacle.TAKEN and winner and winner != row.entity_id:
            target = labels.property(row.identifier, model.properties.get(row.identifier) if model else None)
            line = labels.text(
                "common.goes_to", entity=labels.entity(row.entity_id), property=target, winner=labels.entity(winner)
            )
            lost.setdefault(row.entity_id, line)
    return lost
