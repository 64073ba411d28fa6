"""Messages are read tolerantly and written exactly."""

import json

from hypothesis import given, strategies as st
import pytest

from custom_components.aliyun_iot.alink.errors import MessageError
from custom_components.aliyun_iot.alink.messages import (
    MAX_PAYLOAD,
    JsonValue,
    Reply,
    Request,
    decode_reply,
    decode_request,
    encode_reply,
    encode_request,
)

from .generated import JSON_SCALARS, JSON_VALUES

IDS = st.integers(0, 2**32 - 1).map(str)


def beginning(value: object) -> str:
    """Return the first characters of a long value, for the name of a test."""
    return repr(value)[:40]


def test_request_has_the_documented_form() -> None:
    """Compact, in UTF-8, with version and method, and a decimal for every float."""
    payload = encode_request("7", "thing.event.property.post", {"Name": "客厅", "Temperature": 10.0, "On": 1})

    assert payload.decode() == (
        '{"id":"7","version":"1.0","sys":{"ack":1},'
        '"params":{"Name":"客厅","Temperature":10.0,"On":1},"method":"thing.event.property.post"}'
    )


def test_every_request_asks_for_a_reply() -> None:
    """Some hosts reply only to `sys.ack` 1 (docs/protocol.md §0.3)."""
    assert json.loads(encode_request("7", "thing.log.post", []))["sys"] == {"ack": 1}


def test_answer_has_id_code_data_and_message() -> None:
    """All readers of the platform need these four."""
    assert encode_reply("7", 200, {}) == b'{"id":"7","code":200,"data":{},"message":"success"}'
    assert encode_reply("7", 100003, {}, "locked") == b'{"id":"7","code":100003,"data":{},"message":"locked"}'


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), -float("inf"), "\ud800", "x" * MAX_PAYLOAD], ids=beginning
)
def test_messages_that_the_cloud_would_drop_are_refused(value: JsonValue) -> None:
    """The platform silently drops NaN, half characters and more than 256 KB."""
    with pytest.raises(MessageError) as refused:
        encode_request("7", "thing.event.property.post", {"A": value})
    assert refused.value.id == "7"
    with pytest.raises(MessageError):
        encode_reply("7", 200, {"A": value})


@given(message_id=IDS, params=st.dictionaries(st.text(), JSON_VALUES, max_size=4) | st.lists(JSON_VALUES, max_size=4))
def test_written_requests_are_read_back_equal(message_id: str, params: JsonValue) -> None:
    """What is written is read back equal."""
    payload = encode_request(message_id, "thing.service.Run", params)

    assert decode_request(payload) == Request(message_id, "thing.service.Run", params)


@given(message_id=IDS, code=st.integers(0, 110000), data=JSON_VALUES, message=st.text())
def test_written_replies_are_read_back_equal(message_id: str, code: int, data: JsonValue, message: str) -> None:
    """What is written is read back equal."""
    assert decode_reply(encode_reply(message_id, code, data, message)) == Reply(message_id, code, message, data)


@pytest.mark.parametrize(
    ("payload", "reply"),
    [
        (b'{"id":"1","code":200}', Reply("1", 200, "", {})),
        (b'{"id":1,"code":"200","data":{}}', Reply("1", 200, "", {})),
        (b'{"id":"1","code":"1000","message":null,"data":null}', Reply("1", 1000, "", None)),
        (
            b' {"code":460,"id":"1","message":"request parameter error"}\n',
            Reply("1", 460, "request parameter error", {}),
        ),
        (b'{"id":"1","code":200,"localizedMsg":"\xe6\x88\x90","version":"1.0","data":[]}', Reply("1", 200, "", [])),
        (b'{"id":"\\ud83d\\ude00","code":200}', Reply("😀", 200, "", {})),
    ],
)
def test_incomplete_replies_are_read(payload: bytes, reply: Reply) -> None:
    """Only id and code are required, and a code may be text (docs/protocol.md §0.4)."""
    assert decode_reply(payload) == reply


@pytest.mark.parametrize(
    ("payload", "message_id"),
    [
        (b'{"id":"1"}', "1"),
        (b'{"id":"1","code":null}', "1"),
        (b'{"id":"1","code":true}', "1"),
        (b'{"id":"1","code":"ok"}', "1"),
        (b'{"id":"1","code":{}}', "1"),
        (b'{"code":200}', None),
        (b"[]", None),
    ],
)
def test_reply_without_id_or_code_is_refused(payload: bytes, message_id: str | None) -> None:
    """It could not be matched to a request, or would have no meaning."""
    with pytest.raises(MessageError) as refused:
        decode_reply(payload)
    assert refused.value.id == message_id


def test_accepted_post_may_have_rejected_properties() -> None:
    """The cloud replies 200 and lists the dropped properties in `data` (docs/protocol.md §4.1)."""
    reply = decode_reply(
        b'{"code":200,"data":{"LightSwitch":"tsl parse: params not exist","RGBColor":{"code":6312}},"id":"1"}'
    )

    assert reply.ok
    assert reply.rejected == {"LightSwitch": "tsl parse: params not exist", "RGBColor": '{"code": 6312}'}


@pytest.mark.parametrize("data", [{}, None, [], "tsl parse"])
def test_only_members_of_an_object_are_rejected_properties(data: JsonValue) -> None:
    """Other data names no property."""
    assert Reply("1", 200, "success", data).rejected == {}
    assert not Reply("1", 460, "request parameter error", data).ok


@pytest.mark.parametrize(
    ("payload", "request_"),
    [
        (b'{"id":5}', Request("5", None, None)),
        (b'{"id":"5","params":null,"method":null}', Request("5", None, None)),
        (b'{"id":"5","params":["A"],"method":"thing.service.property.get"}', Request("5", "thing.service.property.get", ["A"])),
        (b'{"id":"7|exp-topic|/a","version":"1.0.0","params":{"A":1},"extra":1}', Request("7|exp-topic|/a", None, {"A": 1})),
        (b'{"id":"5","method":7,"code":200,"params":{}}', Request("5", None, {})),
        (b'{"method":"thing.service.Run","code":1,"id":5}', Request("5", "thing.service.Run", None)),
    ],
)  # fmt: skip
def test_incomplete_requests_are_read(payload: bytes, request_: Request) -> None:
    """Only the id is required; the topic tells the rest."""
    assert decode_request(payload) == request_


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"hello world",
        b'{"id":"1"',
        b'{"id":"1"} x',
        b'{id:"1"}',
        b"{'id':'1'}",
        b"null",
        b"17",
        b"NaN",
        b'"id"',
        b'[{"id":"1"}]',
        b"{}",
        b'{"id":null}',
        b'{"id":""}',
        b'{"id":true}',
        b'{"id":[]}',
        b'{"id":NaN}',
        b'{"id":"\\ud800"}',
        b'{"params":{}}',
        b'\xef\xbb\xbf{"id":"1"}',
        '{"id":"1"}'.encode("utf-16"),
        b'{"id":"\xff"}',
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b'{"id":"1","params":"' + b"x" * MAX_PAYLOAD + b'"}',
        b'{"id":"1","params":[' + b"0," * 40_000 + b"0]}",
    ],
    ids=beginning,
)
def test_garbage_raises_an_error_without_an_id(payload: bytes) -> None:
    """It can't be answered."""
    with pytest.raises(MessageError) as refused:
        decode_request(payload)
    assert refused.value.id is None
    assert refused.value.code == 460


@pytest.mark.parametrize(
    "payload",
    [
        b'{"id":"1","params":{"A":NaN}}',
        b'{"id":"1","params":{"A":-Infinity}}',
        b'{"id":"1","params":{"A":1e999}}',
        b'{"id":"1","params":{"A":' + b"9" * 400 + b"}}",
        b'{"id":"1","params":{"A":' + b"9" * 5000 + b"}}",
        b'{"id":"1","params":{"A":1,"A":2}}',
        b'{"id":"1","params":{"A":"\\uD800"}}',
        b'{"id":"1","params":{"\\udfff":1}}',
        b'{"id":"1","params":' + b"[" * 60 + b"]" * 60 + b"}",
    ],
    ids=beginning,
)
def test_defects_in_a_readable_message_raise_an_error_with_its_id(payload: bytes) -> None:
    """It can be answered with the error."""
    with pytest.raises(MessageError) as refused:
        decode_request(payload)
    assert refused.value.id == "1"
    assert refused.value.code == 460


def test_our_own_answer_is_not_a_request() -> None:
    """A plain broker returns our answer on the long RRPC topic; it must not be answered again."""
    with pytest.raises(MessageError) as refused:
        decode_request(encode_reply("5", 200, {"Energy": 1.5}))
    assert refused.value.id is None


LIKE_A_MESSAGE = st.fixed_dictionaries(
    {"id": IDS | JSON_SCALARS},
    optional={"code": JSON_SCALARS, "data": JSON_VALUES, "params": JSON_VALUES, "method": JSON_SCALARS},
)


@given(st.binary(max_size=200) | (JSON_VALUES | LIKE_A_MESSAGE).map(lambda value: json.dumps(value).encode()))
def test_reading_raises_only_message_errors(payload: bytes) -> None:
    """A message that is accepted can be answered."""
    for decode in (decode_request, decode_reply):
        try:
            message = decode(payload)
        except MessageError as refused:
            message_id = refused.id
        else:
            message_id = message.id
        if message_id is not None:
            assert encode_reply(message_id, 200, {})


def objects(count: int) -> bytes:
    """Return the content of an array of objects."""
    return b",".join([b'{"value":1,"version":2}'] * count)


def test_command_has_fewer_values_than_a_reply() -> None:
    """Thousands of desired values come in a reply; a command has 200 params at most."""
    reply = decode_reply(b'{"id":"1","code":200,"data":[%s]}' % objects(5_002))
    assert isinstance(reply.data, list)
    assert len(reply.data) == 5_002
    assert decode_request(b'{"id":"1","params":{"A":[%s]}}' % objects(500)).id == "1"
    assert decode_request(b'{"id":"1","params":{"A":"%s"}}' % (b"1," * 5_120)).id == "1"  # a text of the longest length
    for params in (objects(1_100), b"1," * 5_300 + b"1"):
        with pytest.raises(MessageError, match="too many values") as refused:
            decode_request(b'{"id":"1","params":{"A":[%s]}}' % params)
        assert refused.value.id is None
    with pytest.raises(MessageError, match="too many values"):
        decode_reply(b'{"id":"1","code":200,"data":[%s]}' % objects(7_000))
