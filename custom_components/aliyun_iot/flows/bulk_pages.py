"""Pages of the options that bind many entities at once, and wait for what the cloud answers to their first values."""

import asyncio
from collections.abc import Collection
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any, override

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowContext,
    ConfigFlowResult,
    ConfigSubentry,
)
from homeassistant.util.ulid import ulid_now

from ..const import SUBENTRY_RULE
from ..exposures import add_bindings
from ..mapping.rule import Rule
from ..mapping.selection import Selection
from ..rules import Changes, carry_out
from ..stored_device import model_document
from ..words.labels import Labels
from ..words.rule_title import rule_title
from ..words.taken import taken_text
from .selection_pages import Draft, SelectionPages
from .thing_model_pages import ThingModelPages

REPLY_PATIENCE = 10.0
"""Seconds to wait for the cloud's replies to the first values of new bindings."""


class BulkPages(SelectionPages[ConfigFlowContext, ConfigFlowResult, str], ThingModelPages):
    """Choose entities, bind them once or by a new rule, and show what the cloud makes of their values."""

    def __init__(self) -> None:
        """Start with nothing bound."""
        super().__init__()
        self._bound: Collection[str] = ()
        self._replies: asyncio.Task[None] | None = None

    @override
    async def async_step_select(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the entities; without a thing model, offer to get one first."""
        if not model_document(self.config_entry) and not self.without_model:
            return await self.async_step_unmodelled()
        return await super().async_step_select(user_input)

    @override
    def bound_entry(self) -> ConfigEntry:
        """Return the entry of the options."""
        return self.config_entry

    @override
    def first_draft(self) -> Draft:
        """Return an empty selection that is bound once."""
        return Draft(ulid_now(), Rule(Selection()), follow=False)

    @override
    def asks_to_follow(self) -> bool:
        """Return True: the user chooses between binding once and a rule."""
        return True

    @override
    async def finish_draft(self, draft: Draft, changes: Changes) -> ConfigFlowResult:
        """Bind what was previewed, as the user's own bindings or by a new rule."""
        entry = self.config_entry
        added = [binding for binding in changes.added if binding.rule == draft.rule_id]
        if draft.follow:
            rule = ConfigSubentry(
                data=MappingProxyType(draft.rule.as_dict()),
                subentry_id=draft.rule_id,
                subentry_type=SUBENTRY_RULE,
                title=await rule_title(await Labels.load(self.hass), draft.rule.selection.include),
                unique_id=None,
            )
            self.hass.config_entries.async_add_subentry(entry, rule)
            carry_out(self.hass, entry, changes)
        else:
            add_bindings(self.hass, entry, [replace(binding, rule="") for binding in added])
        self._draft = self._replies = None
        self._bound = [binding.identifier for binding in added]
        if entry.state is not ConfigEntryState.LOADED:
            return await self.async_step_bound()
        return await self.async_step_replies()

    async def async_step_replies(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Wait for the cloud's replies to the first values."""
        if self._replies is None:
            wait = partial(self.config_entry.runtime_data.first_replies, REPLY_PATIENCE)
            self._replies = self.work_on(wait, "Aliyun first replies")
        if self._replies.done():
            return self.async_show_progress_done(next_step_id="bound")
        return self.async_show_progress(
            step_id="replies",
            progress_action="replies",
            progress_task=self._replies,
            description_placeholders={"count": str(len(self._bound))},
        )

    async def async_step_bound(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Say what has become of the first values."""
        self.say(taken_text(await Labels.load(self.hass), self.config_entry, self._bound))
        return await self.async_step_init()
