"""Errors of the control API, in the platform's own codes.

Source: the public list "Error codes" of the platform's API reference, and "Device service invocation" for 9201
(docs/protocol.md §6.1). The gateway in front of the platform answers for signatures and missing parameters (§20.3). The codes
for thing models, published products, and products with devices are not in that list; they are ours.
"""

from dataclasses import dataclass

from ..core.jsontext import JsonValue


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """A code and its text. The gateway in front of the platform answers with an HTTP `status`, the platform itself with 200."""

    code: str
    text: str
    status: int = 200


# Of the gateway
EXPIRED = ErrorCode("InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.", 400)
INCOMPLETE_SIGNATURE = ErrorCode(
    "IncompleteSignature", "The request signature does not conform to Aliyun standards.", 400
)
MALFORMED_TIME = ErrorCode("InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted.", 400)
NO_SUCH_ACCESS_KEY = ErrorCode("InvalidAccessKeyId.NotFound", "Specified access key is not found.", 404)
NO_SUCH_ACTION = ErrorCode("InvalidAction.NotFound", "Specified api is not found.", 404)
NO_SUCH_VERSION = ErrorCode("InvalidVersion", "Specified parameter Version is not valid.", 400)
NONCE_USED = ErrorCode("SignatureNonceUsed", "Specified signature nonce was used already.", 400)
WRONG_SIGNATURE = ErrorCode("SignatureDoesNotMatch", "Specified signature is not matched with our calculation.", 400)

# Of the platform
ALREADY_PUBLISHED = ErrorCode("iot.prod.AlreadyPublishedProduct", "The product is published.")
APPLICATION_NOT_FOUND = ErrorCode("iot.device.DeviceApplyIsNotFound", "The ApplyId is not found.")
APPLICATION_NOT_READY = ErrorCode(
    "iot.device.IncorrentDeviceApplyInfo", "The device application information is not correct."
)
BAD_COMMODITY_CODE = ErrorCode("iot.prod.InvalidAliyunCommodityCode", "The value of AliyunCommodityCode is invalid.")
BAD_DESCRIPTION = ErrorCode("iot.prod.LongProductDesc", "The product description length exceeds the maximum limit.")
BAD_DEVICE_NAME = ErrorCode("iot.device.InvalidFormattedDeviceName", "The format of the device name is invalid.")
BAD_NODE_TYPE = ErrorCode("iot.prod.InvalidNodeType", "The node type of the product is invalid.")
BAD_PAGE = ErrorCode("iot.common.InvalidPageParams", "The specified page size or page number is invalid.")
BAD_PARAMETER = ErrorCode("iot.common.InvalidFormattedParameter", "The format of the parameter is invalid.")
BAD_PRODUCT_NAME = ErrorCode("iot.prod.InvalidFormattedProductName", "The format of the ProductName is invalid.")
BAD_TAGS = ErrorCode(
    "iot.device.InvalidFormattedDevicePropertiesString", "The format of device property string is invalid."
)
BAD_TAG_KEY = ErrorCode(
    "iot.device.InvalidFormattedDevicePropertyKey", "The format of the device property name is invalid."
)
BAD_THING_MODEL = ErrorCode("iot.tsl.InvalidThingModel", "The thing model is invalid.")
BAD_TIMEOUT = ErrorCode("iot.messagebroker.InvalidTimeoutValue", "The timeout value is invalid.")
BAD_TOPIC = ErrorCode("iot.messagebroker.InvalidFormattedTopicName", "Format of the topic is invalid.")
DEVICE_EXISTS = ErrorCode("iot.device.AlreadyExistedDeviceName", "The device name already exists.")
LONG_TAGS = ErrorCode(
    "iot.device.LongDevicePropertiesString", "The length of the property string exceeds the maximum limit."
)
NOT_A_GATEWAY = ErrorCode("iot.device.NotGatewayDevice", "The device is not a gateway.")
NOT_BASE64 = ErrorCode(
    "iot.messagebroker.MessageContentIsNotBase64Encode", "The message content is not base64 encoded."
)
NOT_SIGNED = ErrorCode("iot.device.InvalidSign", "The signature of the sub-device is invalid.")
NO_CONFIG = ErrorCode("iot.ota.NoThingConfig", "The product has no remote configuration.")
NO_DEVICE_NAMES = ErrorCode("iot.device.NoneDeviceNameElement", "The device name list cannot be empty.")
NO_GATEWAY = ErrorCode("iot.device.NoGateway", "The device has no gateway.")
NO_SUCH_DEVICE = ErrorCode("iot.device.NotExistedDevice", "The specified device does not exist.")
NO_SUCH_FEATURE = ErrorCode("iot.tsl.NotExistedFeature", "The specified feature does not exist.")
NO_SUCH_FILE = ErrorCode("iot.file.NotExistedFile", "The specified file does not exist.")
NO_SUCH_FIRMWARE = ErrorCode("iot.ota.NotExistedFirmware", "The specified firmware does not exist.")
NO_SUCH_JOB = ErrorCode("iot.job.NotExistedJob", "The specified job does not exist.")
NO_SUCH_MODEL_VERSION = ErrorCode(
    "iot.tsl.NotExistedModelVersion", "The specified version of the thing model does not exist."
)
NO_SUCH_MODULE = ErrorCode("iot.tsl.NotExistedModule", "The specified module does not exist.")
NO_SUCH_PRODUCT = ErrorCode("iot.prod.NotExistedProduct", "The specified product does not exist.")
NO_THING_MODEL = ErrorCode("iot.prod.NotSeniorProduct", "The product is not a Pro Edition product.")
OFFLINE = ErrorCode("9201", "device offLine")
PRODUCT_EXISTS = ErrorCode("iot.prod.AlreadyExistedProductName", "The same product name already exists.")
PRODUCT_HAS_DEVICES = ErrorCode("iot.prod.ProductHasDevices", "The product has devices.")
RRPC_HALF_CONNECTED = ErrorCode("iot.messagebroker.HALFCONN", "Failed because of half connection.")
RRPC_OFFLINE = ErrorCode("iot.messagebroker.OFFLINE", "Failed because the device is offline.")
SERVICE_FAILED = ErrorCode("iot.device.InvokeThingServiceFailed", "Failed to invoke the service.")
SET_FAILED = ErrorCode("iot.device.SetDevicePropertyFailed", "Failed to set device property.")
TIMED_OUT = ErrorCode("iot.messagebroker.TIMEOUT", "Failed because of timeout.")
TOO_MANY_DEVICES = ErrorCode("iot.device.DeviceCountExceeded", "Number of devices requested exceeds the maximum limit.")
TOO_MANY_SUB_DEVICES = ErrorCode("iot.device.TooManySubDevices", "The gateway has too many sub-devices.")
TOO_MANY_TAGS = ErrorCode(
    "iot.device.TooManyDevicePropertiesPerTime", "The total number of device properties exceeds the limit."
)


class ApiError(Exception):
    """An action failed; `more` has further fields of the answer besides Code and ErrorMessage."""

    def __init__(self, error: ErrorCode, detail: str = "", **more: JsonValue) -> None:
        """Append the detail to the platform's text."""
        self.status = error.status
        self.code = error.code
        self.message = f"{error.text} {detail}".strip()
        self.more = more
        super().__init__(self.message)


def missing(field: str) -> ApiError:
    """Return the error for a mandatory field that is missing."""
    return ApiError(ErrorCode(f"Missing{field}", f"{field} is mandatory for this action.", 400))
