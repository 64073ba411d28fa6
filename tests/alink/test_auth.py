"""Identity and signatures, compared with vectors from the official SDKs and the documentation."""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.aliyun_iot.alink.auth import DeviceTriple, SignMethod, connect_credentials, sign
from custom_components.aliyun_iot.alink.errors import TripleInvalid

VECTORS = json.loads((Path(__file__).parents[1] / "fixtures" / "vectors.json").read_text(encoding="utf-8"))
SECRET = "0123456789abcdef0123456789abcdef"


def by_name(vector: dict[str, Any]) -> str:
    """Return the name of a vector."""
    return str(vector["name"])


@pytest.mark.parametrize("vector", VECTORS["connect"], ids=by_name)
def test_credentials_of_a_connection(vector: dict[str, Any]) -> None:
    """Client id, user name and password equal those of the SDKs and the documentation."""
    inputs, expected = vector["input"], vector["expected"]
    triple = DeviceTriple(inputs["productKey"], inputs["deviceName"], inputs["deviceSecret"])

    credentials = connect_credentials(triple, inputs["clientId"], dict(inputs["extParams"]))

    assert credentials.client_id == expected["mqttClientId"]
    assert credentials.username == expected["username"]
    assert credentials.password == expected["password"]


@pytest.mark.parametrize("vector", VECTORS["subDevice"], ids=by_name)
def test_signature_of_a_sub_device(vector: dict[str, Any]) -> None:
    """Topology, login and product registration are signed by the same rule, with other fields."""
    inputs = vector["input"]
    keys = ("clientId", "deviceName", "productKey", "timestamp", "random")
    fields = {key: inputs[key] for key in keys if key in inputs}
    secret = inputs.get("deviceSecret") or inputs["productSecret"]

    assert sign(secret, SignMethod(inputs["signMethod"]), fields) == vector["expected"]["sign"]


@pytest.mark.parametrize("vector", [*VECTORS["dynamicRegisterMqtt"], *VECTORS["dynamicRegisterHttps"]], ids=by_name)
def test_signature_of_a_registration(vector: dict[str, Any]) -> None:
    """A registration is signed with the product's secret, over the name, the product and a random text."""
    inputs, expected = vector["input"], vector["expected"]
    fields = {key: inputs[key] for key in ("random", "productKey", "deviceName")}

    signature = sign(inputs["productSecret"], SignMethod(inputs["signMethod"]), fields)

    assert signature == expected.get("password", expected.get("sign"))


@pytest.mark.parametrize("vector", VECTORS["mustReject"], ids=by_name)
def test_forged_signatures_differ_from_ours(vector: dict[str, Any]) -> None:
    """Signatures that the cloud has to reject are not those that we send."""
    client_id, _, extension = vector["mqttClientId"].partition("|")
    parameters = dict(pair.split("=") for pair in extension.rstrip("|").split(","))
    triple = DeviceTriple("pk", "device", vector["deviceSecret"])

    credentials = connect_credentials(triple, client_id, parameters)

    assert (credentials.username, credentials.password) != (vector["username"], vector["password"])


@given(
    secret=st.text(min_size=1, max_size=64),
    method=st.sampled_from(SignMethod),
    fields=st.dictionaries(st.text(max_size=12), st.text(max_size=20), max_size=6),
)
def test_signature_is_the_hmac_of_the_sorted_fields(secret: str, method: SignMethod, fields: dict[str, str]) -> None:
    """The order of the fields does not matter, and the digest follows from the name of the method."""
    shuffled = dict(reversed(fields.items()))
    content = "".join(key + value for key, value in sorted(fields.items()))
    digest = hmac.new(secret.encode(), content.encode(), getattr(hashlib, method.removeprefix("hmac"))).hexdigest()

    assert sign(secret, method, fields) == sign(secret, method, shuffled) == digest


def test_sign_method_is_case_insensitive() -> None:
    """Older documents write `hmacSha1`; the cloud accepts both, and the spelling is sent unchanged."""
    triple = DeviceTriple("pk", "device", "secret")

    old, new = (
        connect_credentials(triple, "12345", {"securemode": "3", "signmethod": name, "timestamp": "789"})
        for name in ("hmacSha1", "hmacsha1")
    )

    assert old.password == new.password
    assert "signmethod=hmacSha1," in old.client_id


@pytest.mark.parametrize(
    ("client_id", "parameters"),
    [
        ("", {}),
        ("c" * 65, {}),
        ("a|b", {}),
        ("c", {"sii": "a|b"}),
        ("c", {"sii": "a,b"}),
        ("c", {"sii": "a=b"}),
        ("c", {"a=b": "c"}),
        ("c", {"": "c"}),
        ("c", {"signmethod": "sha256"}),
    ],
)
def test_invalid_parts_of_a_client_id_are_refused(client_id: str, parameters: dict[str, str]) -> None:
    """The wire format has no escapes, so separators inside values can't be sent."""
    with pytest.raises(ValueError, match=r"client id|parameter|SignMethod"):
        connect_credentials(DeviceTriple("pk", "device", "secret"), client_id, parameters)


def test_blanks_around_a_pasted_triple_are_removed() -> None:
    """Text copied from the console often ends in a blank or a line feed."""
    triple = DeviceTriple.parse(" a1HomeGw001\n", "\tgw-1_@.: ", f" {SECRET}\r\n")

    assert triple == DeviceTriple("a1HomeGw001", "gw-1_@.:", SECRET)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("product_key", ""),
        ("product_key", "a1 b2"),
        ("product_key", "a" * 21),
        ("product_key", "产品"),
        ("product_key", SECRET),
        ("device_name", "abc"),
        ("device_name", "a" * 33),
        ("device_name", "living room"),
        ("device_name", "gw/1"),
        ("device_name", "gw&1#"),
        ("device_secret", "  "),
        ("device_secret", "s" * 65),
        ("device_secret", "0123 4567"),
        ("device_secret", "密钥密钥"),
        ("device_secret", "0123\x00567"),
    ],
)
def test_malformed_triple_is_refused_with_the_field(field: str, value: str) -> None:
    """The error names the field but not the value, since the secret may have been pasted into any field."""
    parts = {"product_key": "a1HomeGw001", "device_name": "gw-1", "device_secret": SECRET, field: value}

    with pytest.raises(TripleInvalid) as refused:
        DeviceTriple.parse(**parts)

    assert refused.value.field == field
    assert SECRET not in str(refused.value)
    if value.strip():
        assert value not in str(refused.value)


def test_secrets_stay_out_of_representations() -> None:
    """Neither the secret nor the password is in the representation of an object, which may be logged."""
    triple = DeviceTriple.parse("a1HomeGw001", "gw-1", SECRET)
    credentials = connect_credentials(triple, "gw-1", {"securemode": "2"})

    assert SECRET not in repr(triple)
    assert credentials.password not in repr(credentials)
