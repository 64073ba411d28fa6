"""Lines of the transcript for both sides: the topic or action, a summary of the payload, the meaning of the code."""

from collections.abc import Mapping
from dataclasses import dataclass
import json
from typing import cast

from custom_components.aliyun_iot.alink.codes import describe
from simulator import Direction, WireMessage

from .cloud import DEVICE_NAME, PRODUCT_KEY
from .home_client import HomeEvent, Json, State
from .words import Language

CLOUD = "cloud"
DOWN = "cloud →"
UP = "← home"
HOME = "home"

MAX_LENGTH = 110
"""Characters of a payload that are printed."""

TOPIC_WIDTH = 38
SHOWN_ATTRIBUTES = (
    "brightness",
    "color_temp_kelvin",
    "rgb_color",
    "current_position",
    "temperature",
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the transcript; `at` is in Unix seconds, `mark` is the side."""

    at: float
    mark: str
    text: str


def wire_line(message: WireMessage, language: Language) -> Line:
    """Return the line of a message, or of a change of the connection."""
    if message.direction is Direction.LINK:
        return Line(message.at, CLOUD, f"[{message.note}{_subscriptions(message)}]")
    mark = UP if message.direction is Direction.UP else DOWN
    note = f"  [{message.note}]" if message.note else ""
    return Line(
        message.at, mark, f"{_short_topic(message.topic):{TOPIC_WIDTH}} {_summary(message.payload, language)}{note}"
    )


def event_line(event: HomeEvent) -> Line:
    """Return the line of an action that runs, or of another event of Home Assistant's bus."""
    data = event.data
    if event.type == "call_service":
        return Line(
            event.at, HOME, f"{data['domain']}.{data['service']} {compact(_without_entry(data['service_data']))}"
        )
    return Line(event.at, HOME, f"event {event.type} {compact(_without_entry(dict(data)))}")


def state_text(state: State) -> str:
    """Return a state as text, with the attributes in `SHOWN_ATTRIBUTES`."""
    found = {name: state.attributes[name] for name in SHOWN_ATTRIBUTES if state.attributes.get(name) is not None}
    details = ", ".join(f"{name} {compact(value)}" for name, value in found.items())
    return f"{state.entity_id} = {state.state}" + (f" ({details})" if details else "")


def compact(value: object) -> str:
    """Return compact JSON, shortened to `MAX_LENGTH`."""
    return _cut(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_LENGTH else f"{text[:MAX_LENGTH]}…"


def _without_entry(data: Json) -> Json:
    """Return data without the id of the config entry, of which there is only one."""
    entry_ids = ("config_entry_id", "entry_id")
    return {key: value for key, value in data.items() if key not in entry_ids} if isinstance(data, dict) else data


def _subscriptions(message: WireMessage) -> str:
    """Return the topics of a subscription, empty for other messages."""
    if message.note != "subscribed":
        return ""
    return f": {_cut(', '.join(_short_topic(topic) for topic in json.loads(message.payload)))}"


def _short_topic(topic: str) -> str:
    shortened = topic.replace(f"/sys/{PRODUCT_KEY}/{DEVICE_NAME}/", "/…/")
    return shortened.removeprefix("/") if shortened.startswith("/…/") else shortened


def _summary(payload: bytes, language: Language) -> str:
    """Return the code of a reply with its meaning, or the parameters of a request."""
    try:
        document = cast("Json", json.loads(payload))
    except ValueError:
        return f"0x{payload.hex()}"
    if not isinstance(document, dict):
        return compact(document)
    if "code" in document:
        return _reply(document, language)
    return compact(_without_times(document.get("params", document)))


def _reply(reply: Mapping[str, Json], language: Language) -> str:
    code = reply["code"]
    meaning = describe(code, language) if isinstance(code, int) else ""
    message = reply.get("message")
    parts = [str(code), meaning]
    if isinstance(message, str) and message != "success":
        parts.append(f"«{message}»")
    elif reply.get("data"):
        parts.append(compact(reply["data"]))
    return " ".join(parts)


def _without_times(params: Json) -> Json:
    """Return parameters with plain values instead of {value, time}, since the time is always now."""
    if not isinstance(params, dict):
        return params
    if params.keys() == {"value", "time"}:
        return params["value"]
    return {key: _without_times(value) for key, value in params.items()}
