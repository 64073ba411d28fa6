"""The texts of the codes that the platform answers with (docs/protocol.md §7.2)."""

TEXTS = {
    200: "success",
    400: "request error",
    401: "request auth error",
    427: "device connect in elsewhere",
    428: "too many subdevices under gateway",
    429: "rate limit, too many subDeviceOnline msg in one minute",
    460: "request parameter error",
    500: "server error",
    520: "device no session",
    521: "device deleted",
    522: "device forbidden",
    5005: "query product failed",
    5160: "tsl event query failed",
    5244: "query LoRaWAN product failed",
    6100: "device not found",
    6104: "list size must less than 200",
    6106: "map size must less than 200",
    6203: "topic parse failed",
    6204: "device is disabled",
    6207: "device data format is error",
    6250: "product not found",
    6280: "devicename not meet specs",
    6287: "invalid sign",
    6288: "dynamic register is not allowed",
    6289: "device is already active",
    6292: "signature method is not supported",
    6301: "params must be object or array",
    6321: "tsl: device not exist in product",
    6326: "time format is error",
    6356: "too many events",
    6357: "too many sub-devices",
    6400: "topo relation count exceed",
    6401: "topo relation not exist",
    6402: "topo relation cannot add by self",
    6600: "signature verification failed",
    6619: "device is bound to another gateway",
    6813: "topic illegal",
}


def text_of(code: int) -> str:
    """Return the text of a code."""
    return TEXTS.get(code, "request error")
