"""Devices that are registered one by one or many at once (docs/protocol.md §20.4)."""

from collections import Counter
import secrets

from ..core.applications import Application, ApplicationStatus, Refused
from ..core.device import CloudDevice
from ..core.jsontext import JsonValue
from ..core.names import is_device_name, is_nickname
from ..core.product import Product
from ..core.registry import TooManyDevicesError, new_secret
from .call import Answer, Call
from .errors import (
    APPLICATION_NOT_FOUND,
    APPLICATION_NOT_READY,
    BAD_DEVICE_NAME,
    BAD_PARAMETER,
    DEVICE_EXISTS,
    NO_DEVICE_NAMES,
    TOO_MANY_DEVICES,
    ApiError,
    ErrorCode,
)
from .pages import page

DEVICES_PER_CALL = 10_000
MAX_PAGE = 50


async def register_device(call: Call) -> Answer:
    """Register a device, without `DeviceName` by a random one."""
    product, name = call.product(), call.fields.optional_text("DeviceName") or _random_name()
    nickname = call.fields.optional_text("Nickname") or ""
    if not is_device_name(name):
        raise ApiError(BAD_DEVICE_NAME)
    if nickname and not is_nickname(nickname):
        raise ApiError(
            BAD_PARAMETER, "Nickname has 4 to 64 letters, digits and underscores; a Chinese one counts as two."
        )
    device = _register(call, product, name, nickname)
    return {"Data": _row(device) | {"ProductKey": product.key, "Nickname": nickname}}


async def register_count(call: Call) -> Answer:
    """Register `Count` devices by random names."""
    product, count = call.product(), call.fields.integer("Count")
    if count not in range(1, DEVICES_PER_CALL + 1):
        raise ApiError(TOO_MANY_DEVICES, f"Count is 1 to {DEVICES_PER_CALL}.")
    names = dict.fromkeys((_random_name() for _ in range(count)), "")
    application = call.platform.applications.add(product, names, ApplicationStatus.CHECK_SUCCESS)
    _process(call, application)
    return {"Data": {"ApplyId": application.id}}


async def check_names(call: Call) -> Answer:
    """Apply for `DeviceName.N`, or `DeviceNameList.N.DeviceName` and `.DeviceNickname`; names that can't be are refused."""
    product, entries = call.product(), call.fields.objects("DeviceNameList")
    names = [(entry.text("DeviceName"), entry.optional_text("DeviceNickname") or "") for entry in entries]
    names = (names or [(name, "") for name in call.fields.texts("DeviceName")])[:DEVICES_PER_CALL]
    if not names:
        raise ApiError(NO_DEVICE_NAMES)
    bad = [name for name, _ in names if not is_device_name(name)]
    bad_nicknames = [nickname for _, nickname in names if nickname and not is_nickname(nickname)]
    repeated = [name for name, count in Counter(name for name, _ in names).items() if count > 1]
    if bad or bad_nicknames or repeated:
        lists: Answer = {
            "InvalidDeviceNameList": {"InvalidDeviceName": list[JsonValue](bad)},
            "InvalidDeviceNicknameList": {"InvalidDeviceNickname": list[JsonValue](bad_nicknames)},
            "RepeatedDeviceNameList": {"RepeatDevieNameList": list[JsonValue](repeated)},
        }
        raise ApiError(BAD_DEVICE_NAME, Data=lists)
    known = call.platform.registry.devices
    refused = [Refused(name, nickname, DEVICE_EXISTS.text) for name, nickname in names if (product.key, name) in known]
    status = ApplicationStatus.CHECK_FAILED if refused else ApplicationStatus.CHECK_SUCCESS
    application = call.platform.applications.add(product, dict(names), status)
    application.refused = refused
    return {"Data": {"ApplyId": application.id}}


async def register_application(call: Call) -> Answer:
    """Register the devices of an application whose names were found to be right."""
    application = _application(call)
    if application.status is not ApplicationStatus.CHECK_SUCCESS:
        raise ApiError(APPLICATION_NOT_READY, f"Its status is {application.status}.")
    _process(call, application)
    return {"Data": {"ApplyId": application.id}}


async def query_status(call: Call) -> Answer:
    """Return what an application has come to; the names only if some were refused."""
    application = _application(call)
    refused = application.refused
    invalid: list[JsonValue] = [one.device_name for one in refused]
    names_refused = {one.device_name for one in refused}
    valid: list[JsonValue] = [name for name in application.names if refused and name not in names_refused]
    details: list[JsonValue] = [
        {"DeviceName": one.device_name, "NickName": one.nickname, "ErrorMsg": one.reason} for one in refused
    ]
    return {
        "Data": {
            "Status": application.status,
            "ValidList": {"Name": valid},
            "InvalidList": {"Name": invalid},
            "InvalidDetailList": {"invalidDetailList": details},
        }
    }


async def query_devices(call: Call) -> Answer:
    """Return the devices of an application by pages."""
    application = call.platform.applications.find(call.fields.integer("ApplyId"))
    if application is None:
        raise ApiError(APPLICATION_NOT_FOUND)
    shown = page(call.fields, application.devices, size=10, limit=MAX_PAGE)
    rows: list[JsonValue] = [_row(device) | {"DeviceId": device.iot_id} for device in shown.entries]
    return shown.counts("Page") | {"ApplyDeviceList": {"ApplyDeviceInfo": rows}}


def _application(call: Call) -> Application:
    """Return the application of the call, which must be for its product."""
    product, application = call.product(), call.platform.applications.find(call.fields.integer("ApplyId"))
    if application is None or application.product is not product:
        raise ApiError(APPLICATION_NOT_FOUND)
    return application


def _process(call: Call, application: Application) -> None:
    for name, nickname in application.names.items():
        try:
            application.devices.append(_register(call, application.product, name, nickname))
        except ApiError as error:
            application.refused.append(Refused(name, nickname, error.message))
    failed = ApplicationStatus.CREATE_FAILED if application.refused else ApplicationStatus.CREATE_SUCCESS
    application.status = failed


def _register(call: Call, product: Product, name: str, nickname: str) -> CloudDevice:
    registry = call.platform.registry
    if (product.key, name) in registry.devices:
        raise ApiError(DEVICE_EXISTS)
    try:
        device = registry.add_device(product.key, name, new_secret())
    except TooManyDevicesError as error:
        raise ApiError(ErrorCode(TOO_MANY_DEVICES.code, str(error))) from None
    device.nickname = nickname
    return device


def _row(device: CloudDevice) -> Answer:
    return {"DeviceName": device.device_name, "DeviceSecret": device.device_secret, "IotId": device.iot_id}


def _random_name() -> str:
    return secrets.token_hex(10)
