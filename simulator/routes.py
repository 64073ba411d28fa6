"""The table of everything that a device can publish, and who handles it.

To add a chapter of the protocol, write a module with its handlers and give each topic a row here. `{pk}` and `{dn}` are the
names of the device; any other `{name}` matches one level or a part of it, `{name:path}` all further levels; both are passed
to the handler in `Uplink.variables`. A topic that is not in the table is noted as `ignored` in the transcript.
"""

from collections.abc import Callable
from dataclasses import dataclass
import re

from .core.jsontext import JsonValue
from .core.transcript import Note
from .device_side import (
    config,
    desired,
    events,
    jobs,
    logs,
    notifications,
    ntp,
    ota,
    properties,
    raw,
    reset,
    services,
    shadow,
    tags,
    thing_model,
    upload,
    user_topics,
)
from .device_side.uplink import Answer, Uplink
from .gateway import pack, registration, sessions, topology

type RequestHandler = Callable[[Uplink, JsonValue], JsonValue]
"""Takes the `params` of an Alink request, returns the `data` of the reply, raises RejectedError."""

type ReplyHandler = Callable[[Uplink], bool]
"""Takes the reply to a downlink, returns whether it was awaited."""

type MessageHandler = Callable[[Uplink], list[Answer] | Note]
"""Takes any other message, returns the answers, or why there is none."""


@dataclass(frozen=True, slots=True)
class Request:
    """An Alink request: read by the router, and answered on `…_reply`."""

    handle: RequestHandler
    for_gateway: bool = False
    """Whether only a gateway may send it, for itself."""
    only_qos_0: bool = False
    """Whether it is dropped with QoS 1."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply to a downlink."""

    handle: ReplyHandler


@dataclass(frozen=True, slots=True)
class Message:
    """Anything else."""

    handle: MessageHandler
    only_qos_0: bool = False
    """Whether it is dropped with QoS 1."""


type Route = Request | Reply | Message

SYS = "/sys/{pk}/{dn}/"
SESSION = "/ext/session/{pk}/{dn}/combine/"

ROUTES: dict[str, Route] = {
    # §4 properties
    SYS + "thing/event/property/post": Request(properties.post_properties),
    SYS + "thing/event/property/batch/post": Request(properties.post_batch),
    SYS + "thing/event/property/history/post": Request(properties.post_history),
    SYS + "thing/event/property/pack/post": Request(pack.post, for_gateway=True),
    # §5 events
    SYS + "thing/event/{identifier}/post": Request(events.post_event),
    # §6 replies to commands
    SYS + "thing/service/property/{identifier}_reply": Reply(services.take_reply),
    SYS + "thing/service/{identifier}_reply": Reply(services.take_reply),
    SYS + "rrpc/response/{message_id}": Reply(services.take_response),
    "/ext/rrpc/{message_id}/sys/{pk}/{dn}/{topic:path}": Reply(services.take_response),
    "/ext/rrpc/{message_id}/{pk}/{dn}/{topic:path}": Reply(services.take_response),
    # §3 raw frames
    SYS + "thing/model/up_raw": Message(raw.take_frame),
    SYS + "thing/model/down_raw_reply": Reply(raw.take_reply),
    # §8 the thing model
    SYS + "thing/dsltemplate/get": Request(thing_model.get_thing_model),
    SYS + "thing/dynamicTsl/get": Request(thing_model.get_dynamic_model),
    # §9 desired values
    SYS + "thing/property/desired/get": Request(desired.get_desired),
    SYS + "thing/property/desired/delete": Request(desired.delete_desired),
    # §10 gateways
    SYS + "thing/topo/add": Request(topology.add, for_gateway=True),
    SYS + "thing/topo/delete": Request(topology.delete, for_gateway=True),
    SYS + "thing/topo/get": Request(topology.get, for_gateway=True),
    SYS + "thing/list/found": Request(topology.report_found, for_gateway=True),
    SYS + "thing/topo/add/notify_reply": Reply(notifications.take_reply),
    SYS + "thing/topo/change_reply": Reply(notifications.take_reply),
    SYS + "thing/sub/register": Request(registration.register, for_gateway=True),
    SYS + "thing/sub/unregister": Request(registration.unregister, for_gateway=True),
    SYS + "thing/proxy/provisioning/product_register": Request(
        registration.register_with_product_secret, for_gateway=True
    ),
    SESSION + "login": Request(sessions.log_in, for_gateway=True, only_qos_0=True),
    SESSION + "batch_login": Request(sessions.log_in_batch, for_gateway=True, only_qos_0=True),
    SESSION + "logout": Request(sessions.log_out, for_gateway=True, only_qos_0=True),
    SESSION + "batch_logout": Request(sessions.log_out_batch, for_gateway=True, only_qos_0=True),
    # §12 device management
    SYS + "thing/deviceinfo/update": Request(tags.update_tags),
    SYS + "thing/deviceinfo/delete": Request(tags.delete_tags),
    SYS + "thing/deviceinfo/get": Request(tags.get_tags),
    "/ext/ntp/{pk}/{dn}/request": Message(ntp.answer_time, only_qos_0=True),
    SYS + "thing/config/get": Request(config.get_config),
    SYS + "thing/config/push_reply": Reply(notifications.take_reply),
    "/ota/device/inform/{pk}/{dn}": Message(ota.take_version),
    "/ota/device/progress/{pk}/{dn}": Message(ota.take_progress),
    "/ota/device/request/{pk}/{dn}": Message(ota.take_request),
    SYS + "thing/ota/firmware/get": Request(ota.get_firmware),
    SYS + "thing/config/log/get": Request(config.get_log_config),
    SYS + "thing/config/log/push_reply": Reply(notifications.take_reply),
    SYS + "thing/log/post": Request(logs.post_logs),
    SYS + "_thing/diag/post": Request(logs.post_diagnostics),
    SYS + "thing/file/upload/mqtt/init": Request(upload.begin, only_qos_0=True),
    SYS + "thing/file/upload/mqtt/send": Message(upload.take_chunk, only_qos_0=True),
    SYS + "thing/file/upload/mqtt/cancel": Request(upload.cancel, only_qos_0=True),
    SYS + "thing/job/get": Request(jobs.get_task),
    SYS + "thing/job/update": Request(jobs.update_task),
    SYS + "thing/job/notify_reply": Reply(notifications.take_reply),
    "/shadow/update/{pk}/{dn}": Message(shadow.take_request),
    # §13 lifecycle
    SYS + "thing/disable_reply": Reply(notifications.take_reply),
    SYS + "thing/enable_reply": Reply(notifications.take_reply),
    SYS + "thing/delete_reply": Reply(notifications.take_reply),
    SYS + "thing/reset": Request(reset.take_reset),
    SYS + "thing/bootstrap/notify_reply": Reply(notifications.take_reply),
    # §12.7 topics of the user's own
    "/{pk}/{dn}/user/{topic:path}": Message(user_topics.take_message),
    "/{pk}/{dn}/{other:path}": Message(user_topics.take_message),
}


def find_route(pattern: str) -> tuple[Route, dict[str, str]] | None:
    """Return the row for a topic, in which `{pk}` and `{dn}` stand for the names, and its variables."""
    if (route := ROUTES.get(pattern)) is not None:
        return route, {}
    for expression, route in _EXPRESSIONS:
        if (match := expression.fullmatch(pattern)) is not None:
            return route, match.groupdict()
    return None


def _expression(pattern: str) -> re.Pattern[str]:
    escaped = re.escape(pattern.replace("{pk}", "\0").replace("{dn}", "\1"))
    levels = re.sub(r"\\\{(\w+):path\\\}", r"(?P<\1>.+)", escaped)
    named = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", levels)
    return re.compile(named.replace("\0", r"\{pk\}").replace("\1", r"\{dn\}"))


_EXPRESSIONS = [
    (_expression(pattern), route)
    for pattern, route in ROUTES.items()
    if "{" in pattern.replace("{pk}", "").replace("{dn}", "")
]
