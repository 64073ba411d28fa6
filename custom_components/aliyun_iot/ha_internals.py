"""What this integration uses of Home Assistant that no documentation for integrations promises, in one place.

Each function imports what it needs when it is called, so that the integration loads without it. When Home Assistant no longer
has it, or it works in another way, the function logs that once and errs on the safe side: nothing is controlled, selected or
thrown away because something could not be found out. `tests/test_ha_internals.py` has a test for each of them, which fails
when Home Assistant changes it, and one that fails on a version that is not in `CHECKED`.

* `clear_trace`, `script_end`, `traces_work`: `helpers.trace` has why a script ended, in the context of its task, which is
  otherwise not known. Without it, an action behind which there is a script counts as failed.
* `nested_script_end`: `hass.data` has the stored traces of scripts and automations, which say how one that an action ran has
  ended. Without them, it counts as finished.
* `script_inputs`: the entity object of a script has its fields and variables. Without it, a bound script cannot be called.
* `run_actions`, `validated_actions`: `helpers.script` validates and runs sequences of actions. Without it, none is run.
* `script_action`: the action of a script has the unique id of the script as its name, whatever the entity is called.
* `compile_conditions`, `validated_conditions`: `helpers.condition` compiles the conditions of automations. Without it, no
  condition holds.
* `validated_triggers`, `attach_triggers`: `helpers.trigger` attaches the triggers of automations. Without it, the events that
  are bound to triggers have a problem, and do not happen.
* `on_triggers_registered`, `set_trigger_choices`: `helpers.trigger` keeps the descriptions of triggers in `hass.data`. Without
  it, their forms take identifiers as text.
* `on_entry_changed`: `config_entries` sends a signal for each change of an entry. Without it, some issues of an entry that
  is not loaded stay until Home Assistant restarts, and a condition is compiled again later.
* `target_members`: `helpers.target` finds the entities of a target, as actions do. Without it, `HomeAssistantChanged`
  is raised: an empty selection would make rules release what they have bound.
* `passed_on`: the entity objects of some integrations, found by `helpers.entity_component`, have what they pass a command on
  to. Without it, control of such an entity needs a confirmation. Its tests are in `tests/test_risk.py`.
* `entity_integrations`, `entity_integration`: `helpers.entity.entity_sources` has the integration of each entity that is
  loaded. Without it, no entity can be controlled.
* `removed_entity_id`: the entity registry keeps what was removed in `deleted_entities`. Without it, a removed entity is
  called by its registry id.
* `registered_issues`: the issue registry has all issues in `issues`. Without it, issues of a removed device stay.
* `translated_state`: `helpers.translation` translates states. Without it, they are shown untranslated.
* `has_page`: the frontend has its pages in `hass.data`. Without it, the page of the integration is not added.
* `CheckedStore`: `helpers.storage` writes in `_async_write_data`, which raises what `async_save` only logs. Without it, data
  count as not written, so they stay in memory and are written again.

Not listed are the parts that nearly every integration uses: registries, events, selectors, templates, storage and the like.
"""

from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
import logging
from typing import TYPE_CHECKING, Any, Final, cast, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import ATTR_DEVICE_CLASS, STATE_UNAVAILABLE
from homeassistant.core import CALLBACK_TYPE, Context, HomeAssistant, ServiceResponse, State, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv, entity_registry as er, issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.storage import Store

from .alink.foreign import logger_of
from .const import DOMAIN

if TYPE_CHECKING:
    from homeassistant.helpers.trace import StopReason

_LOGGER = logger_of(__name__)

CHECKED: Final = ("2026.8.0", "2026.10.4")
"""The versions of Home Assistant for which all of this was checked: the minimum and the newest."""

FINISHED: Final = "finished"

type Steps = list[dict[str, Any]]
"""Actions, conditions or triggers as automations have them."""

_CHANGED: Final = (ImportError, AttributeError, KeyError, TypeError)
"""How it shows that Home Assistant has changed."""

_reported: set[str] = set()


class HomeAssistantChanged(HomeAssistantError):  # noqa: N818 - named after what happened
    """Home Assistant no longer has what is needed, or it works in another way."""


@callback
def clear_trace() -> None:
    """Forget how earlier scripts in this task ended, and record how the next ones do.

    Everything that is started from this task inherits its record. Several entities of a group may run scripts at the same time,
    of which Home Assistant's own record would have only the last.
    """
    try:
        from homeassistant.helpers.trace import script_execution_cv, trace_clear

        trace_clear()
        script_execution_cv.set(_ends_type()())
    except _CHANGED as err:
        _report("helpers.trace", err)


@cache
def _ends_type() -> type[StopReason]:
    from homeassistant.helpers.script import script_stack_cv
    from homeassistant.helpers.trace import StopReason

    class Ends(StopReason):
        """How scripts ended, those that are not a part of another one; the branches of a script may end as they like."""

        def __init__(self) -> None:
            self.words: list[str] = []

        def __setattr__(self, name: str, value: object) -> None:
            super().__setattr__(name, value)
            if name == "script_execution" and isinstance(value, str) and len(script_stack_cv.get() or ()) <= 1:
                self.words.append(value)

    return Ends


@dataclass(frozen=True, slots=True)
class ScriptEnd:
    """How a script ended: `FINISHED`, or another word if it stopped early, and the reason if its last step has one."""

    word: str
    reason: str


@callback
def script_end() -> ScriptEnd | None:
    """Return how the script that ran in this task ended; None if none ran or has ended, or if it is not known.

    Of several scripts it is one that stopped early, if there is any.
    """
    try:
        from homeassistant.helpers.trace import script_execution_cv, script_execution_get, trace_get

        end = script_execution_get()
        if end is None:
            return None
        words: list[str] = getattr(script_execution_cv.get(), "words", [])
        end = next((word for word in words if word != FINISHED), end)
        steps = [step.as_dict() for steps in (trace_get(clear=False) or {}).values() for step in steps]
    except _CHANGED as err:
        _report("helpers.trace", err)
        return None
    last = steps[-1] if steps else {}
    return ScriptEnd(end, str(last.get("result", {}).get("stop") or last.get("error") or ""))


@callback
def nested_script_end(hass: HomeAssistant, context: Context) -> str | None:
    """Return the name of a script or an automation that actions ran in a context and that stopped early without an exception.

    It is None if there is none. An action that runs a script or an automation does not fail with it. Home Assistant stores the
    trace of each script and of each automation with an id, unless the user has set the number of stored traces to none.
    """
    try:
        for name, stored in (hass.data.get("trace") or {}).items():
            domain, _, unique_id = name.partition(".")
            for trace in getattr(stored, "runs", stored).values():
                stopped = trace.as_short_dict()["script_execution"] in _STOPPED_SILENTLY.get(domain, ())
                if stopped and _was_run_in(context, domain, trace):
                    return er.async_get(hass).async_get_entity_id(domain, domain, unique_id) or str(name)
    except _CHANGED as err:
        _report("the stored traces of scripts", err)
    return None


def _was_run_in(context: Context, domain: str, trace: Any) -> bool:
    """Return whether an action in a context ran what has left a trace.

    An automation runs in a context of its own. One that has reacted to what was done, by one of its triggers, does not count.
    """
    own: Context | None = getattr(trace, "context", None)
    if own is None:
        return False
    if domain == "automation":
        return own.parent_id == context.id and trace.as_short_dict()["trigger"] is None
    return own.id == context.id


_STOPPED: Final = frozenset(
    {"aborted", "cancelled", "disallowed_recursion_detected", "failed_max_runs", "failed_single"}
)

_STOPPED_SILENTLY: Final = {"automation": _STOPPED | {"error"}, "script": _STOPPED}
"""The ends of which an action says nothing, by what it runs; an automation only logs its errors."""


async def traces_work(hass: HomeAssistant) -> bool:
    """Return whether `script_end` would have seen a script that stopped early."""
    clear_trace()
    await run_actions(hass, "probe", cv.SCRIPT_SCHEMA([{"stop": "probe", "error": True}]), {}, Context())
    end = script_end()
    if end is None or end.word == FINISHED:
        _report("helpers.trace", "a script that stopped early leaves no trace")
        return False
    return True


async def validated_actions(hass: HomeAssistant, actions: Steps) -> Steps:
    """Return actions as Home Assistant runs them; raises vol.Invalid or HomeAssistantError."""
    try:
        from homeassistant.helpers.script import async_validate_actions_config
    except ImportError as err:
        raise _changed("helpers.script", err) from err
    return await async_validate_actions_config(hass, actions)


async def run_actions(
    hass: HomeAssistant, name: str, valid: Steps, variables: Mapping[str, object], context: Context
) -> ServiceResponse:
    """Run validated actions to their end and return their response; `script_end` tells how they ended."""
    try:
        from homeassistant.helpers.script import Script

        script = Script(hass, valid, name, DOMAIN, log_exceptions=False)
    except (ImportError, TypeError) as err:
        raise _changed("helpers.script", err) from err
    try:
        result = await script.async_run(dict(variables), context)
    finally:
        await script.async_unload()
    return result.service_response if result else None


@callback
def script_action(hass: HomeAssistant, entity_id: str) -> str | None:
    """Return the name of the action, in the domain `script`, that runs a script; None if it can't be run now.

    The object id of its entity may be the name of another script's action, after both were renamed.
    """
    registered = er.async_get(hass).async_get(entity_id)
    if registered is None or registered.platform != "script" or registered.domain != "script":
        return None
    return registered.unique_id if hass.services.has_service("script", registered.unique_id) else None


@dataclass(frozen=True, slots=True)
class ScriptInputs:
    """What a script takes: the names of its fields, and of the variables that it defines itself."""

    fields: frozenset[str]
    variables: frozenset[str]


@callback
def script_inputs(hass: HomeAssistant, entity_id: str) -> ScriptInputs:
    """Return what a script takes; raises HomeAssistantChanged if it cannot be found out."""
    try:
        from homeassistant.helpers.entity_component import DATA_INSTANCES

        entity: Any = hass.data[DATA_INSTANCES]["script"].get_entity(entity_id)
        variables = entity.script.variables
        return ScriptInputs(frozenset(entity.fields), frozenset(variables.variables if variables else ()))
    except _CHANGED as err:
        raise _changed("the entities of scripts", err) from err


@dataclass(frozen=True, slots=True)
class CompiledConditions:
    """Conditions that can be checked; `unload` has to be called when they are no longer needed."""

    check: Callable[[dict[str, Any]], bool]
    unload: Callable[[], None]

    def hold(self, variables: Mapping[str, Any]) -> bool:
        """Return whether all of them hold; one that cannot be checked does not."""
        try:
            return self.check(dict(variables)) is True
        except Exception:
            _LOGGER.exception("A condition cannot be checked, so it does not hold")
            return False


async def compile_conditions(hass: HomeAssistant, valid: Steps, name: str) -> CompiledConditions:
    """Return validated conditions, ready to be checked; raises vol.Invalid or HomeAssistantError."""
    try:
        from homeassistant.helpers.condition import async_conditions_from_config

        checker = await async_conditions_from_config(hass, valid, _LOGGER, name)
    except ImportError as err:
        raise _changed("helpers.condition", err) from err
    return CompiledConditions(checker, checker.async_unload)


async def validated_conditions(hass: HomeAssistant, conditions: Steps) -> Steps:
    """Return conditions as Home Assistant compiles them; raises vol.Invalid or HomeAssistantError."""
    try:
        from homeassistant.helpers.condition import async_validate_conditions_config

        # A template is a condition as well, but the signature does not include it.
        return cast("Steps", await async_validate_conditions_config(hass, conditions))
    except ImportError as err:
        raise _changed("helpers.condition", err) from err


async def validated_triggers(hass: HomeAssistant, triggers: Steps) -> Steps:
    """Return triggers as Home Assistant attaches them; raises vol.Invalid or HomeAssistantError."""
    try:
        from homeassistant.helpers.trigger import async_validate_trigger_config
    except ImportError as err:
        raise _changed("helpers.trigger", err) from err
    return await async_validate_trigger_config(hass, triggers)


async def attach_triggers(
    hass: HomeAssistant,
    valid: Steps,
    name: str,
    triggered: Callable[[dict[str, Any]], None],
    failed: Callable[[str], None],
) -> CALLBACK_TYPE | None:
    """Call `triggered` with the variables whenever one of the validated triggers fires, until the returned function is called.

    `failed` is called with what is wrong with a trigger that cannot be attached; None is returned if none can be. Raises
    HomeAssistantError.
    """

    @callback
    def fired(variables: dict[str, Any], _context: Context | None = None) -> None:
        triggered(variables)

    def log(level: int, message: str, **_: Any) -> None:
        if level >= logging.ERROR:
            failed(message)
        else:
            _LOGGER.log(level, "%s: %s", name, message)

    try:
        from homeassistant.helpers.trigger import async_initialize_triggers
    except ImportError as err:
        raise _changed("helpers.trigger", err) from err
    return await async_initialize_triggers(hass, valid, fired, DOMAIN, name, log)


@callback
def on_entry_changed(hass: HomeAssistant, changed: Callable[[ConfigEntry], None]) -> CALLBACK_TYPE:
    """Call `changed` with each config entry of any integration that was added, removed or changed; return what ends it."""

    @callback
    def dispatched(_change: object, entry: ConfigEntry) -> None:
        changed(entry)

    try:
        from homeassistant.config_entries import SIGNAL_CONFIG_ENTRY_CHANGED

        return async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, dispatched)
    except _CHANGED as err:
        _report("config_entries", err)
        return lambda: None


@dataclass(frozen=True, slots=True)
class TargetMembers:
    """What a target consists of: entity ids, and the ids of the areas and devices through which some were found."""

    entity_ids: set[str]
    area_ids: set[str]
    device_ids: set[str]


@callback
def target_members(hass: HomeAssistant, *, expand_groups: bool = False, **parts: Iterable[str]) -> TargetMembers:
    """Return the members of a target; `parts` are ids by `entity_id`, `device_id`, `area_id` and so on.

    With `expand_groups` there are the members of an old group (`group.…`) in its place. Raises HomeAssistantChanged.
    """
    try:
        from homeassistant.helpers.target import TargetSelection, async_extract_referenced_entity_ids

        target = TargetSelection({part: list(ids) for part, ids in parts.items()})
        found = async_extract_referenced_entity_ids(
            hass, target, expand_group=expand_groups, primary_entities_only=False
        )
        return TargetMembers(
            found.referenced | found.indirectly_referenced, found.referenced_areas, found.referenced_devices
        )
    except _CHANGED as err:
        raise _changed("helpers.target", err) from err


@callback
def entity_integrations(hass: HomeAssistant) -> dict[str, str]:
    """Return the integration of each entity that is loaded, by entity id."""
    try:
        from homeassistant.helpers.entity import entity_sources

        return {entity_id: source["domain"] for entity_id, source in entity_sources(hass).items()}
    except _CHANGED as err:
        _report("helpers.entity", err)
        return {}


@callback
def entity_integration(hass: HomeAssistant, entity_id: str) -> str | None:
    """Return the integration of an entity, None if no loaded entity stands behind the state."""
    try:
        from homeassistant.helpers.entity import entity_sources

        source = entity_sources(hass).get(entity_id)
        return source["domain"] if source else None
    except _CHANGED as err:
        _report("helpers.entity", err)
        return None


@dataclass(frozen=True, slots=True)
class PassedOn:
    """What an entity passes a command on to, besides the members in its attributes: entities, and steps that it runs.

    The actions `overridden` are replaced by steps, all others are passed on.
    """

    entity_ids: tuple[str, ...] = ()
    steps: tuple[Sequence[Mapping[str, Any]], ...] = ()
    overridden: frozenset[str] = frozenset()


_OPERATES: Final = {
    "generic_hygrostat": "_switch_entity_id",
    "generic_thermostat": "heater_entity_id",
    "switch": "_switch_entity_id",  # a light in YAML that is a switch
    "switch_as_x": "_switch_entity_id",
    "universal": "_children",
}
"""For integrations whose entities operate others, the attribute of the entity object that has the ids of these."""

_MEMBERS: Final = {"entity_id", "group_entities"}
"""The attributes of groups that have the ids of their members."""

_RUNS: Final = {"template": "_action_scripts", "universal": "_cmds"}
"""For integrations whose entities run steps, the attribute that has them by name: scripts, or single steps."""


@callback
def passed_on(hass: HomeAssistant, state: State) -> PassedOn | None:
    """Return what an entity passes a command on to; None if it passes it on and it cannot be found out to what.

    A switch is also what it is shown as: a lock that was made from it operates nothing but the switch.
    """
    entity_id = state.entity_id
    integration = entity_integration(hass, entity_id)
    try:
        from homeassistant.helpers.entity_component import DATA_INSTANCES
        from homeassistant.helpers.script import Script

        if integration == "group" and state.state != STATE_UNAVAILABLE and not _MEMBERS & state.attributes.keys():
            raise KeyError("the members of a group")
        component = hass.data.get(DATA_INSTANCES, {}).get(state.domain)
        entity = component.get_entity(entity_id) if component else None
        shown_as = tuple(_shown_as(hass, entity_id))
        if entity is None:
            return None if integration in _OPERATES | _RUNS else PassedOn(shown_as)
        operated: str | Iterable[str] = getattr(entity, _OPERATES[integration]) if integration in _OPERATES else ()
        runs: Mapping[str, Any] = getattr(entity, _RUNS[integration]) if integration in _RUNS else {}
        own = [part for part in vars(entity).values() if isinstance(part, Script)]
        steps = [part.sequence if isinstance(part, Script) else [part] for part in (*own, *runs.values())]
        entity_ids = (operated,) if isinstance(operated, str) else tuple(operated)
        return PassedOn((*entity_ids, *shown_as), tuple(steps), frozenset(runs))
    except _CHANGED as err:
        _report(f"the entities of {integration}", err)
        return None


@callback
def _shown_as(hass: HomeAssistant, entity_id: str) -> Iterator[str]:
    """Yield the entities that were made from a switch."""
    if not entity_id.startswith("switch."):
        return
    registry = er.async_get(hass)
    registered = registry.async_get(entity_id)
    names = {entity_id, registered.id if registered else entity_id}
    for entry in hass.config_entries.async_entries("switch_as_x"):
        if entry.options.get("entity_id") in names:
            for shown in er.async_entries_for_config_entry(registry, entry.entry_id):
                yield shown.entity_id


@callback
def removed_entity_id(hass: HomeAssistant, registry_id: str) -> str | None:
    """Return the last entity id of an entity that was removed from the registry, None if that is not known."""
    try:
        removed = er.async_get(hass).deleted_entities.values()
        return next((entity.entity_id for entity in removed if entity.id == registry_id), None)
    except _CHANGED as err:
        _report("the entity registry", err)
        return None


@callback
def registered_issues(hass: HomeAssistant) -> list[ir.IssueEntry]:
    """Return all issues of this integration, ignored ones included."""
    try:
        return [issue for issue in ir.async_get(hass).issues.values() if issue.domain == DOMAIN]
    except _CHANGED as err:
        _report("the issue registry", err)
        return []


@callback
def translated_state(hass: HomeAssistant, state: State) -> str:
    """Return the state of an entity as dashboards show it, without a unit."""
    registered = er.async_get(hass).async_get(state.entity_id)
    try:
        from homeassistant.helpers.translation import async_translate_state

        return async_translate_state(
            hass,
            state.state,
            state.domain,
            registered.platform if registered else None,
            registered.translation_key if registered else None,
            state.attributes.get(ATTR_DEVICE_CLASS),
        )
    except _CHANGED as err:
        _report("helpers.translation", err)
        return state.state


@callback
def has_page(hass: HomeAssistant, url_path: str) -> bool:
    """Return whether the frontend has a page with this path, which can be added once."""
    try:
        from homeassistant.components.frontend import DATA_PANELS

        return url_path in hass.data.get(DATA_PANELS, {})
    except _CHANGED as err:
        _report("components.frontend", err)
        return True


@callback
def on_triggers_registered(hass: HomeAssistant, listener: Callable[[set[str]], Coroutine[Any, Any, None]]) -> None:
    """Call a listener with the names of triggers whenever some become known."""
    try:
        from homeassistant.helpers.trigger import async_subscribe_platform_events

        async_subscribe_platform_events(hass, listener)
    except _CHANGED as err:
        _report("helpers.trigger", err)


async def set_trigger_choices(hass: HomeAssistant, choices: Mapping[str, Mapping[str, Mapping[str, str]]]) -> None:
    """Let fields of triggers offer values, which have labels, and take any other text; without values it is a field for text.

    `choices` are by trigger and field. A trigger that Home Assistant does not know yet is left out.
    """
    try:
        from homeassistant.helpers.trigger import TRIGGER_DESCRIPTION_CACHE, async_get_all_descriptions

        described = await async_get_all_descriptions(hass)
        # A new object, because what was made of the old one is kept.
        hass.data[TRIGGER_DESCRIPTION_CACHE] = {
            trigger: _with_choices(description, choices[trigger]) if description and trigger in choices else description
            for trigger, description in described.items()
        }
    except _CHANGED as err:
        _report("helpers.trigger", err)


def _with_choices(description: dict[str, Any], choices: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    fields = dict(description["fields"])
    for name, labels in choices.items():
        options = [{"value": value, "label": str(label)} for value, label in labels.items()]
        select = {"options": options, "custom_value": True, "mode": "dropdown"}
        fields[name] = {**fields[name], "selector": {"select": select} if options else {"text": {}}}
    return {**description, "fields": fields}


class CheckedStore(Store[dict[str, Any]]):
    """A store that knows whether the last data are written; Home Assistant's own only logs an error."""

    written = False

    @override
    async def _async_write_data(self, data: dict[str, Any]) -> None:
        self.written = False
        await super()._async_write_data(data)
        self.written = True


def _changed(name: str, error: Exception) -> HomeAssistantChanged:
    _report(name, error)
    return HomeAssistantChanged(f"Home Assistant has changed {name}: {error}")


def _report(name: str, error: Exception | str) -> None:
    """Log once that something of Home Assistant has changed."""
    if name not in _reported:
        _reported.add(name)
        _LOGGER.error(
            "Home Assistant has changed %s, which this integration needs: %s. Update the integration", name, error
        )
