"""Subentry flow for a rule, which binds the entities of a selection as they come and go."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, override

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigSubentryFlow,
    SubentryFlowContext,
    SubentryFlowResult,
)
from homeassistant.util.ulid import ulid_now
import voluptuous as vol

from ..const import CONF_PRODUCT_KEY
from ..exposures import change_bindings
from ..ha_internals import HomeAssistantChanged
from ..mapping.binding import Binding
from ..mapping.rule import Rule
from ..mapping.selection import Selection
from ..rules import Changes, carry_out, changes_by_rules, followed_bindings, rules_of
from ..stored_device import products_with_models, sub_devices_of, thing_model_of
from ..words.fault_texts import row_reason
from ..words.labels import Labels
from ..words.rule_title import rule_title
from .selection_pages import Draft, SelectionPages


class RuleFlow(SelectionPages[SubentryFlowContext, SubentryFlowResult, tuple[str, str]], ConfigSubentryFlow):
    """Add a rule, change its selection, or remove it and keep its bindings."""

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Start with the selection."""
        return await self.async_step_select(user_input)

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask what to do with the rule."""
        rule = Rule.from_stored(self._get_reconfigure_subentry().data)
        if not isinstance(rule, Rule):
            reason = row_reason(await Labels.load(self.hass), rule)
            return self.async_abort(reason="unreadable", description_placeholders={"reason": reason})
        return self.async_show_menu(
            step_id="reconfigure",
            menu_options=["select", "keep"],
            description_placeholders={
                "rule": self._get_reconfigure_subentry().title,
                "count": str(len(self._followed())),
            },
        )

    async def async_step_keep(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Remove the rule and keep its bindings."""
        followed = self._followed()
        if user_input is None:
            return self.async_show_form(
                step_id="keep",
                data_schema=vol.Schema({}),
                description_placeholders={"count": str(len(followed))},
            )
        entry = self.bound_entry()
        for owner in {owner for owner, _ in followed}:
            replaced = {each.identifier: replace(each, rule="") for its, each in followed if its == owner}
            change_bindings(self.hass, entry, owner, replaced=replaced)
        self.hass.config_entries.async_remove_subentry(entry, self._get_reconfigure_subentry().subentry_id)
        return self.async_abort(reason="kept", description_placeholders={"count": str(len(followed))})

    @override
    def bound_entry(self) -> ConfigEntry:
        """Return the entry that the subentry is part of."""
        return self._get_entry()

    @override
    def first_draft(self) -> Draft:
        """Return the present rule, or an empty one for a new rule."""
        if self.source != SOURCE_RECONFIGURE:
            return Draft(ulid_now(), Rule(Selection()), follow=True)
        entry = self.bound_entry()
        rule_id = self._get_reconfigure_subentry().subentry_id
        rules: Mapping[str, Rule] = rules_of(entry)
        with suppress(HomeAssistantChanged):  # the page says so when it is submitted
            # Bindings that the user has just removed already count as left out.
            rules = changes_by_rules(self.hass, entry, rules, thing_model_of(entry)).rules
        return Draft(rule_id, rules[rule_id], follow=True)

    @override
    def asks_to_follow(self) -> bool:
        """Return False: a rule always follows."""
        return False

    @override
    def sub_device_products(self) -> Collection[str]:
        """Return the products of sub-devices, of rules and of thing models of the entry."""
        entry = self.bound_entry()
        known = {device.product_key for device in sub_devices_of(entry)}
        known.update(rule.product_key for rule in rules_of(entry).values())
        known.update(products_with_models(entry))
        return known - {"", entry.data[CONF_PRODUCT_KEY]}

    @override
    async def finish_draft(self, draft: Draft, changes: Changes) -> SubentryFlowResult:
        """Store the rule; the running entry carries out a new one."""
        title = await rule_title(await Labels.load(self.hass), draft.rule.selection.include)
        if self.source != SOURCE_RECONFIGURE:
            return self.async_create_entry(title=title, data=draft.rule.as_dict())
        carry_out(self.hass, self.bound_entry(), changes)
        return self.async_update_and_abort(
            self.bound_entry(),
            self._get_reconfigure_subentry(),
            title=title,
            data=changes.rules[draft.rule_id].as_dict(),
        )

    def _followed(self) -> list[tuple[str, Binding]]:
        """Return the bindings made by the rule, each with the owner that it is bound of."""
        rule_id = self._get_reconfigure_subentry().subentry_id
        return [each for each in followed_bindings(self.bound_entry()) if each[1].rule == rule_id]
