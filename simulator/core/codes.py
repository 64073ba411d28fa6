"""The texts of the codes that the platform answers with (docs/protocol.md §7.2)."""

TEXTS = {
    200: "success",
    400: "request error",
    460: "request parameter error",
    5160: "tsl event query failed",
    6104: "list size must less than 200",
    6106: "map size must less than 200",
    6207: "device data format is error",
    6301: "params must be object or array",
    6321: "tsl: device not exist in product",
    6326: "time format is error",
    6401: "topo relation not exist",
    6813: "topic illegal",
}


def text_of(code: int) -> str:
    """Return the text of a code."""
    return TEXTS.get(code, "request error")
