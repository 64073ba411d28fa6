"""Errors of the control API, in the platform's own codes.

Source: the public list "Error codes" of the platform's API reference, and "Device service invocation" for 9201
(docs/protocol.md §6.1). Missing and malformed fields get the codes of the API gateway in front of the platform.
"""

from dataclasses import dataclass

from ..core.jsontext import JsonValue


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """A code and its text."""

    code: str
    text: str


BAD_PAGE = ErrorCode("iot.common.InvalidPageParams", "The specified page size or page number is invalid.")
BAD_PARAMETER = ErrorCode("iot.common.InvalidFormattedParameter", "The format of the parameter is invalid.")
BAD_TIMEOUT = ErrorCode("iot.messagebroker.InvalidTimeoutValue", "The timeout value is invalid.")
BAD_TOPIC = ErrorCode("iot.messagebroker.InvalidFormattedTopicName", "Format of the topic is invalid.")
NO_SUCH_ACTION = ErrorCode("InvalidAction.NotFound", "Specified api is not found.")
NO_SUCH_DEVICE = ErrorCode("iot.device.NotExistedDevice", "The specified device does not exist.")
NO_SUCH_PRODUCT = ErrorCode("iot.prod.NotExistedProduct", "The specified product does not exist.")
NOT_BASE64 = ErrorCode(
    "iot.messagebroker.MessageContentIsNotBase64Encode", "The message content is not base64 encoded."
)
NOT_A_GATEWAY = ErrorCode("iot.device.NotGatewayDevice", "The device is not a gateway.")
NOT_SIGNED = ErrorCode("iot.device.InvalidSign", "The signature of the sub-device is invalid.")
NO_CONFIG = ErrorCode("iot.ota.NoThingConfig", "The product has no remote configuration.")
NO_SUCH_FILE = ErrorCode("iot.file.NotExistedFile", "The specified file does not exist.")
NO_SUCH_FIRMWARE = ErrorCode("iot.ota.NotExistedFirmware", "The specified firmware does not exist.")
NO_SUCH_JOB = ErrorCode("iot.job.NotExistedJob", "The specified job does not exist.")
NO_GATEWAY = ErrorCode("iot.device.NoGateway", "The device has no gateway.")
OFFLINE = ErrorCode("9201", "device offLine")
RRPC_HALF_CONNECTED = ErrorCode("iot.messagebroker.HALFCONN", "Failed because of half connection.")
RRPC_OFFLINE = ErrorCode("iot.messagebroker.OFFLINE", "Failed because the device is offline.")
SERVICE_FAILED = ErrorCode("iot.device.InvokeThingServiceFailed", "Failed to invoke the service.")
SET_FAILED = ErrorCode("iot.device.SetDevicePropertyFailed", "Failed to set device property.")
TOO_MANY_SUB_DEVICES = ErrorCode("iot.device.TooManySubDevices", "The gateway has too many sub-devices.")
TIMED_OUT = ErrorCode("iot.messagebroker.TIMEOUT", "Failed because of timeout.")


class ApiError(Exception):
    """An action failed; `more` has further fields of the answer besides Code and ErrorMessage."""

    def __init__(self, error: ErrorCode, detail: str = "", **more: JsonValue) -> None:
        """Append the detail to the platform's text."""
        self.code = error.code
        self.message = f"{error.text} {detail}".strip()
        self.more = more
        super().__init__(self.message)


def missing(field: str) -> ApiError:
    """Return the error for a mandatory field that is missing."""
    return ApiError(ErrorCode(f"Missing{field}", f"{field} is mandatory for this action."))
