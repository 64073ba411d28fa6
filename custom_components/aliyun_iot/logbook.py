"""Commands of the cloud in the logbook.

The logbook does not translate the messages of integrations, so both languages are here; the installation's language is used.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from homeassistant.components.logbook import LOGBOOK_ENTRY_ICON, LOGBOOK_ENTRY_MESSAGE, LOGBOOK_ENTRY_NAME
from homeassistant.core import Event, HomeAssistant, callback

from .alink.codes import describe
from .alink.command import CommandKind
from .alink.foreign import safe
from .alink.i18n import is_chinese
from .alink.model.numeric import shortest
from .commands.outcome import is_spoken, shortened
from .const import DOMAIN, EVENT_COMMAND, EVENT_COMMAND_FAILED, EVENT_DRY_RUN, EVENT_RAW
from .log_text import first_of
from .mapping.domains import domain_of

MAX_SENTENCE: Final = 4000
"""Characters of a message."""

MAX_LISTED: Final = 5
"""Changes of one command that are listed; of the others only the number is given."""

ICON: Final = "mdi:cloud-download-outline"
FAILURE_ICON: Final = "mdi:cloud-alert-outline"

type Words = Mapping[str, str]
type Data = Mapping[str, Any]

_ENGLISH: Final[Words] = {
    "name": "Alibaba Cloud IoT {device}",
    "set": "set {list}",
    "refused": "could not set {change}: {message}",
    "change": "{name} to {value}",
    "change_of": "the {aspect} of {name} to {value}",
    "comma": ", ",
    "semicolon": "; ",
    "property": "property {list}",
    "properties": "properties {list}",
    "message_id": "message {id}",
    "property_get": "asked for {list}",
    "no_values": "asked for {list}: {message}",
    "service": "called the service {name}",
    "no_service": "could not call the service {name}: {message}",
    "topic": "sent a message on {name}",
    "message": "sent a message",
    "raw": "sent raw data, {count} bytes",
    "dry_run": "{said} (dry run: nothing was done)",
    "failed": "was told that the command failed: {message} (code {code})",
}
_CHINESE: Final[Words] = {
    "name": "阿里云物联网平台 {device}",
    "set": "将{list}",
    "refused": "未能将{change}，原因：{meaning}",
    "change": "“{name}”设为 {value}",
    "change_of": "“{name}”的{aspect}设为 {value}",
    "comma": "、",
    "semicolon": "；",
    "property": "属性 {list}",
    "properties": "属性 {list}",
    "message_id": "消息 {id}",
    "property_get": "查询了 {list}",
    "no_values": "查询了 {list}，未能全部返回，原因：{meaning}",
    "service": "调用了服务 {name}",
    "no_service": "未能调用服务 {name}，原因：{meaning}",
    "topic": "在 {name} 上发送了消息",
    "message": "发送了消息",
    "raw": "发送了 {count} 字节的透传数据",
    "dry_run": "{said}（演练模式，未执行）",
    "failed": "收到的应答为失败：{meaning}（代码 {code}）",
    "on": "开",
    "off": "关",
}


@callback
def async_describe_events(
    hass: HomeAssistant, async_describe_event: Callable[[str, str, Callable[[Event], dict[str, Any]]], None]
) -> None:
    """Describe the bus events of commands."""

    def describe_as(sentence: Callable[[HomeAssistant, Words, Data], str]) -> Callable[[Event], dict[str, Any]]:
        @callback
        def describe(event: Event) -> dict[str, Any]:
            words = _CHINESE if is_chinese(hass.config.language) else _ENGLISH
            data = event.data
            # No entity: the frontend would show its name in place of this one, as if the entity had sent the command.
            return {
                LOGBOOK_ENTRY_NAME: words["name"].format(device=_device(hass, data)),
                LOGBOOK_ENTRY_MESSAGE: safe(str(sentence(hass, words, data)), MAX_SENTENCE),
                LOGBOOK_ENTRY_ICON: FAILURE_ICON if _is_refused(data) else ICON,
            }

        return describe

    async_describe_event(DOMAIN, EVENT_COMMAND, describe_as(_command))
    async_describe_event(DOMAIN, EVENT_DRY_RUN, describe_as(_dry_run))
    async_describe_event(DOMAIN, EVENT_COMMAND_FAILED, describe_as(_failure))
    async_describe_event(DOMAIN, EVENT_RAW, describe_as(_raw))


def _command(hass: HomeAssistant, words: Words, data: Data) -> str:
    name = data["identifier"]
    match data["kind"]:
        case CommandKind.PROPERTY_SET:
            return _set(hass, words, data)
        case CommandKind.PROPERTY_GET:
            names = _listed(hass, words, [safe(str(name)) for name in data["params"]])
            said = words["no_values" if data["refused"] else "property_get"].format(list=names, **_why(hass, data))
        case CommandKind.SERVICE:
            said = words["no_service" if data["refused"] else "service"].format(name=name, **_why(hass, data))
        case _:
            said = words["topic"].format(name=name) if name else words["message"]
    return _with_message_id(words, said, data)


def _dry_run(hass: HomeAssistant, words: Words, data: Data) -> str:
    """Return what was asked for; a set says of each property that nothing was done, and a get is answered as always."""
    said = _command(hass, words, data)
    return words["dry_run"].format(said=said) if data["kind"] == CommandKind.SERVICE else said


def _set(hass: HomeAssistant, words: Words, data: Data) -> str:
    """Return what is set, what is refused, and the properties and the message that ask for it."""
    changes = data["changes"]
    done = [_change(hass, words, change) for change in changes if not change["refused"]]
    said = [words["set"].format(list=_listed(hass, words, done))] if done else []
    refused = [change for change in changes if change["refused"]]
    said += [
        words["refused"].format(change=_change(hass, words, change), **_reason(hass, change["code"], change["refused"]))
        for change in refused[:MAX_LISTED]
    ]
    said += first_of([], 0, hass.config.language, hidden=len(refused[MAX_LISTED:]) + data["more_changes"])
    names = [change["identifier"] for change in changes]
    listed = _listed(hass, words, names, data["more_changes"])
    properties = words["property" if len(names) == 1 else "properties"].format(list=listed)
    return _with_message_id(words, f"{words['semicolon'].join(said)} · {properties}", data)


def _change(hass: HomeAssistant, words: Words, change: Data) -> str:
    state = hass.states.get(change["entity_id"]) if change["entity_id"] else None
    value = shortened(change["value"])
    if isinstance(value, float):
        value = shortest(value)
    aspect = _aspect(hass, change)
    return words["change_of" if aspect else "change"].format(
        name=state.name if state else change["entity_id"] or change["identifier"],
        aspect=aspect,
        value=words.get(value, value) if value in ("on", "off") else value,
    )


def _aspect(hass: HomeAssistant, change: Data) -> str:
    """Return the name of the aspect that is set; empty for the main one, such as the power of a lamp."""
    domain = domain_of(change["entity_id"])
    aspect = domain.aspect(change["aspect"]) if domain else None
    if domain is None or aspect is None or aspect is domain.aspects[0]:
        return ""
    return aspect.name_zh if is_chinese(hass.config.language) else aspect.name_en.lower()


def _failure(hass: HomeAssistant, words: Words, data: Data) -> str:
    why = _reason(hass, data["code"], data["message"])
    said = words["failed"].format(code=data["code"], **why)
    if data["identifier"]:
        said = f"{said} · {data['identifier']}"
    return _with_message_id(words, said, data)


def _is_refused(data: Data) -> bool:
    """Return whether nothing, or not everything, was done."""
    return bool(data.get("code")) or any(change["refused"] for change in data.get("changes", ()))


def _why(hass: HomeAssistant, data: Data) -> Mapping[str, str]:
    return (
        _reason(hass, data["code"], data["refused"].removeprefix(f"{data['identifier']}: ")) if data["refused"] else {}
    )


def _reason(hass: HomeAssistant, code: int, message: str) -> Mapping[str, str]:
    """Return a message and what it means in the language of the installation.

    Messages to the cloud are in English. Only what an action or an automation says has no other form.
    """
    return {
        "message": message,
        "meaning": message if is_spoken(code) else describe(code, hass.config.language).rstrip("。"),
    }


def _raw(hass: HomeAssistant, words: Words, data: Data) -> str:
    return words["raw"].format(count=data["size"])


def _with_message_id(words: Words, said: str, data: Data) -> str:
    return f"{said} · {words['message_id'].format(id=data['id'])}" if data["id"] else said


def _listed(hass: HomeAssistant, words: Words, names: list[str], hidden: int = 0) -> str:
    """Return the first names, and the number of the others with the `hidden` ones that are not given."""
    return words["comma"].join(first_of(names, MAX_LISTED, hass.config.language, hidden=hidden))


def _device(hass: HomeAssistant, data: Data) -> str:
    if device := data.get("device"):
        return str(device)
    entry = hass.config_entries.async_get_entry(data["entry_id"])
    return entry.title if entry else ""
