"""Documents of other versions: older ones are taken, newer ones are refused."""

import json
from typing import Any

import pytest

from custom_components.aliyun_iot.mapping.binding import Access, Binding, Conversion, ServiceBinding
from custom_components.aliyun_iot.mapping.document import Document
from custom_components.aliyun_iot.mapping.document_text import read_text
from custom_components.aliyun_iot.mapping.fault import DocumentError, Fault, FaultKind


def faults(data: dict[str, Any]) -> tuple[Fault, ...]:
    """Return what is wrong with a document."""
    with pytest.raises(DocumentError) as error:
        Document.parse(data)
    return error.value.faults


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        (3, FaultKind.NEWER),
        (0, FaultKind.WRONG_VALUE),
        ("two", FaultKind.WRONG_VALUE),
        (True, FaultKind.WRONG_VALUE),
    ],
)
def test_versions_that_nobody_knows(version: object, kind: FaultKind) -> None:
    """A newer document is not guessed at."""
    assert [one.kind for one in faults({"format": "aliyun_iot_mapping", "version": version})] == [kind]


ROWS = [
    {"identifier": "LightSwitch", "entity": "light.lamp", "aspect": "power", "access": "both"},
    {"identifier": "Brightness", "entity": "0" * 32, "aspect": "brightness", "conversion": {"scale": 2.55}},
]


@pytest.mark.parametrize(
    "data",
    [
        {"format": "aliyun_iot_mapping", "version": 1, "bindings": ROWS, "services": {"Wash": "script.wash"}},
        {
            "home_assistant": {"version": "2026.9.0"},
            "data": {
                "entry": {
                    "data": {"device_secret": "**REDACTED**"},
                    "exposures": [{"bindings": ROWS[:1]}, {"bindings": ROWS[1:]}],
                    "services": {"Wash": "script.wash", "Sing": 3},
                },
                "link": {"state": "online"},
            },
        },
    ],
    ids=["document", "diagnostics"],
)
def test_version_1(data: dict[str, Any]) -> None:
    """The rows of the first release are taken; actions, of which it told only the number, can't be."""
    assert Document.parse(read_text(json.dumps(data))) == Document.of(
        [
            Binding("LightSwitch", "light.lamp", "power", Access.BOTH),
            Binding("Brightness", "0" * 32, "brightness", conversion=Conversion(scale=2.55)),
        ],
        [ServiceBinding("Wash", script="script.wash")],
    )


@pytest.mark.parametrize(
    ("part", "where"),
    [
        ({"bindings": {}}, None),
        ({"bindings": {"a": 1}}, "bindings"),
        ({"bindings": [1]}, "bindings → 1"),
        ({"bindings": [{"identifier": "A"}]}, "bindings → 1"),
        ({"services": [1]}, "services"),
        ({"bindings": ROWS[:1] * 2}, "bindings → light.lamp → 2"),
        ({"extra": 1}, "extra"),
    ],
)
def test_faults_in_version_1(part: dict[str, Any], where: str | None) -> None:
    """They are told as well."""
    data = {"format": "aliyun_iot_mapping", "version": 1, **part}
    if where is None:
        assert Document.parse(data) == Document()
    else:
        assert [one.where for one in faults(data)] == [where]
