"""The mapping as a document: an export can be imported again, and every fault is reported with its path."""

from dataclasses import replace
import json
from typing import Any

from hypothesis import given
import pytest

# Home Assistant has to be imported first: it decides which package is imported as voluptuous.
from custom_components.aliyun_iot.mapping.binding import Access, Binding, Conversion, ServiceBinding
from custom_components.aliyun_iot.mapping.document.document import FORMAT, VERSION, Document
from custom_components.aliyun_iot.mapping.document.fault import DocumentError, FaultKind
from custom_components.aliyun_iot.mapping.document.rules import DocumentedRule
from custom_components.aliyun_iot.mapping.document.sub_device import DocumentedSubDevice, StandsFor
from custom_components.aliyun_iot.mapping.document.text import MAX_SIZE, read_text, write_text
from custom_components.aliyun_iot.mapping.event_binding import EventBinding
from custom_components.aliyun_iot.mapping.fields import Expected
from custom_components.aliyun_iot.mapping.rule import EntityAspect
from custom_components.aliyun_iot.mapping.selection import Selection, Target

from .document_strategies import BINDINGS, EVENTS, RULES, SERVICES

HEAD = "format: aliyun_iot_mapping\nversion: 1\n"
LAMP = Binding("LightSwitch", "light.lamp", "power", Access.BOTH)


def read(text: str | bytes) -> Document:
    """Read a document."""
    return Document.parse(read_text(text))


def write(document: Document) -> str:
    """Write a document."""
    return write_text(document.as_dict())


def faults(text: str | bytes) -> list[tuple[FaultKind, str, int | None]]:
    """Return the faults of a text: kind, path and line."""
    with pytest.raises(DocumentError) as error:
        read(text)
    return [(fault.kind, fault.where, fault.line) for fault in error.value.faults]


@given(bindings=BINDINGS, services=SERVICES, rules=RULES, events=EVENTS)
def test_document_is_the_same_after_writing_and_reading(
    bindings: list[Binding],
    services: list[ServiceBinding],
    rules: dict[str, DocumentedRule],
    events: list[EventBinding],
) -> None:
    """Nothing is lost or moved: the second export has the same bytes as the first, by YAML and by JSON."""
    document = Document.of(bindings, services, rules, events)
    text = write(document)
    assert read(text) == document
    assert write(read(text)) == text
    assert write(Document.parse(json.loads(json.dumps(document.as_dict())))) == text


@given(bindings=BINDINGS, services=SERVICES, events=EVENTS)
def test_order_of_creation_does_not_matter(
    bindings: list[Binding], services: list[ServiceBinding], events: list[EventBinding]
) -> None:
    """Two installations with the same mapping export the same file."""
    backwards = Document.of(reversed(bindings), reversed(services), events=reversed(events))
    assert write(backwards) == write(Document.of(bindings, services, events=events))


def test_written_document_is_readable() -> None:
    """It is grouped by entity, has no defaults, and has Chinese and multi-line text unescaped."""
    document = Document.of(
        [
            LAMP,
            Binding("Brightness", "light.lamp", "brightness", conversion=Conversion(scale=2.55)),
            Binding(
                "Mode", "select.场景", "value", conversion=Conversion(options={"回家 🏠": 1, "on": 2}), rule="客厅"
            ),
            Binding("Guests", "", "template", source="{% set n = 2 %}\n{{ n }}"),
        ],
        [ServiceBinding("Wash", script="script.wash")],
        {
            "客厅": DocumentedRule(
                Selection(Target(area_id=("living_room",)), Target(domain=("sensor",))),
                frozenset({EntityAspect("light.lamp", "effect")}),
                {"area_id": {"living_room": "客厅", "attic": "阁楼"}},
            )
        },
    )
    comment, body = write(document).split("\n\n", 1)
    assert all(line.startswith("# ") for line in comment.splitlines())
    assert body == (
        "format: aliyun_iot_mapping\n"
        "version: 1\n"
        "bindings:\n"
        "  light.lamp:\n"
        "    - identifier: Brightness\n"
        "      aspect: brightness\n"
        "      conversion:\n"
        "        scale: 2.55\n"
        "    - identifier: LightSwitch\n"
        "      aspect: power\n"
        "      access: both\n"
        "  no_entity:\n"
        "    - identifier: Guests\n"
        "      aspect: template\n"
        "      source: |-\n"
        "        {% set n = 2 %}\n"
        "        {{ n }}\n"
        "  select.场景:\n"
        "    - identifier: Mode\n"
        "      aspect: value\n"
        "      conversion:\n"
        "        options:\n"
        "          回家 🏠: 1\n"
        "          'on': 2\n"
        "      rule: 客厅\n"
        "services:\n"
        "  Wash:\n"
        "    script: script.wash\n"
        "rules:\n"
        "  客厅:\n"
        "    include:\n"
        "      area_id:\n"
        "        living_room: 客厅\n"
        "    exclude:\n"
        "      domain:\n"
        "        - sensor\n"
        "    left_out:\n"
        "      light.lamp:\n"
        "        - effect\n"
    )


def test_document_written_by_hand() -> None:
    """Unquoted on and off, numbers as keys, times without quotes, ids without names."""
    document = read(
        HEAD
        + """
bindings:
  climate.ac: [{identifier: Mode, aspect: mode, conversion: {options: {off: 0, on: 1, 2: 3}}}]
services:
  Wake: {actions: [{action: time.set, data: {time: 06:30:00, day: 2024-01-31}}]}
rules:
  All: {include: {area_id: [kitchen], floor_id: ground}}
"""
    )
    assert document.bindings["Mode"].conversion.options == {"off": 0, "on": 1, "2": 3}
    assert document.services["Wake"].actions[0]["data"] == {"time": "06:30:00", "day": "2024-01-31"}
    assert document.rules["All"].selection.include == Target(area_id=("kitchen",), floor_id=("ground",))


def test_numbers_are_read_as_they_look() -> None:
    """YAML 1.1 takes 010 for eight and 1:30 for ninety."""
    document = read(
        HEAD
        + """
bindings:
  climate.ac:
    - {identifier: Mode, aspect: mode, conversion: {options: {heat: 010, cool: "0010"}}, min_interval: 030}
services:
  Wake: {actions: [{action: time.set, data: {code: 0123, at: 1:30, count: 1_000, hex: 0x10, whole: 0, low: -0.5}}]}
"""
    )
    assert document.bindings["Mode"].conversion.options == {"heat": "010", "cool": "0010"}
    assert document.bindings["Mode"].min_interval == 30
    data = {"code": "0123", "at": "1:30", "count": "1_000", "hex": 16, "whole": 0, "low": -0.5}
    assert document.services["Wake"].actions[0]["data"] == data
    assert read(write(document)) == document


def test_only_the_first_binding_of_a_property_is_exported() -> None:
    """A document has each identifier once, so that it can be imported."""
    document = Document.of([LAMP, Binding("LightSwitch", "switch.kettle", "power")])
    assert read(write(document)).bindings == {"LightSwitch": LAMP}


@pytest.mark.parametrize(
    ("text", "kind", "line"),
    [
        ("", FaultKind.EMPTY, None),
        ("# nothing but a comment", FaultKind.EMPTY, None),
        ("just words", FaultKind.NOT_A_MAPPING, None),
        ("- 1", FaultKind.NOT_A_MAPPING, None),
        ("format: another\nversion: 1", FaultKind.NOT_A_MAPPING, None),
        (b"\x89PNG\r\n\x1a\n\x00", FaultKind.NOT_TEXT, None),
        (HEAD.encode("utf-16"), FaultKind.NOT_TEXT, None),
        ("a: \x00", FaultKind.NOT_TEXT, None),
        ("a: \ud83d", FaultKind.NOT_TEXT, None),
        (HEAD + "#" * MAX_SIZE, FaultKind.TOO_LARGE, None),
        (HEAD + "bindings: {", FaultKind.SYNTAX, 4),
        (HEAD + 'services: "never closed', FaultKind.SYNTAX, 3),
        (HEAD + "bindings:\n\tlight.lamp: []", FaultKind.TAB, 4),
        (HEAD + "bindings: {}\nbindings: {}", FaultKind.KEY_TWICE, 4),
        (HEAD + "bindings: &all {}\nservices: *all", FaultKind.ALIAS, 3),
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]", FaultKind.ALIAS, 1),
        (HEAD + "bindings: !include other.yaml", FaultKind.TAG, 3),
        (HEAD + "bindings: !secret lamp", FaultKind.TAG, 3),
        (HEAD + "bindings: !!python/object/apply:os.system [date]", FaultKind.TAG, 3),
        (HEAD + "bindings: !!binary aGk=", FaultKind.TAG, 3),
        (HEAD + "bindings: " + "[" * 100_000, FaultKind.TOO_DEEP, 3),
        (f"{HEAD}---\n{HEAD}", FaultKind.SYNTAX, 3),
        (HEAD + "? [a]\n: 1", FaultKind.SYNTAX, 3),
        (HEAD + "bindings: 1" + "0" * 10_000, FaultKind.SYNTAX, 3),
    ],
)
def test_invalid_texts(text: str | bytes, kind: FaultKind, line: int | None) -> None:
    """Each is refused as a whole, with the line if there is one."""
    assert faults(text) == [(kind, "", line)]


@pytest.mark.parametrize(
    ("version", "kind", "where"),
    [
        ("2", FaultKind.NEWER, ""),
        ("0", FaultKind.WRONG_VALUE, "version"),
        ("one", FaultKind.WRONG_VALUE, "version"),
        ("true", FaultKind.WRONG_VALUE, "version"),
        ("", FaultKind.WRONG_VALUE, "version"),
    ],
)
def test_unknown_versions(version: str, kind: FaultKind, where: str) -> None:
    """A newer document is not read."""
    assert faults(f"format: aliyun_iot_mapping\nversion: {version}\nlater: 1") == [(kind, where, None)]


def test_all_faults_are_reported_with_their_paths() -> None:
    """So the user can correct them all at once."""
    text = (
        HEAD
        + """
extra: 1
bindings:
  Light.Lamp: []
  light.bulb: on
  light.lamp:
    - just words
    - {identifier: A, aspect: power, scal: 1}
    - {identifier: get, aspect: power, access: sideways, min_interval: -1, confirmed: "yes"}
    - {identifier: B, aspect: power, conversion: {scale: 0, digits: 12, bend: 1, options: {a: [1]}}}
    - {identifier: C}
    - {identifier: D, aspect: power, entity: light.other}
    - {identifier: E, aspect: power, actions: [{delay: soon}]}
    - {identifier: F, aspect: power, rule: Nobody}
    - {identifier: G, aspect: power}
  sensor.x:
    - {identifier: G, aspect: value}
  no_entity:
    - {identifier: H, aspect: power}
    - {identifier: I, aspect: template}
    - {identifier: J, aspect: actions, actions: [{delay: 1}]}
services:
  A: {}
  B: {script: wash}
  C: {script: script.wash, actions: [{delay: 1}]}
events:
  A: {entity: event.bell}
  B: [just words, {}, {entity: event.bell, triggers: [{trigger: sun}]}, {entity: bell}]
  C: [{triggers: [{platform: sun, trigger: sun}]}, {entity: event.bell, output: 5}, {entity: event.bell, put: 5}]
  get: [{entity: event.bell}]
rules:
  R: {include: {area: x, area_id: [1]}, left_out: {lamp: [power], light.lamp: power}}
  S: {hidden_too: 5, left_out: []}
  T: []
"""
    )
    assert {(kind, where) for kind, where, _ in faults(text)} == {
        (FaultKind.UNKNOWN_KEY, "extra"),
        (FaultKind.WRONG_VALUE, "bindings → Light.Lamp"),
        (FaultKind.WRONG_VALUE, "bindings → light.bulb"),
        (FaultKind.WRONG_VALUE, "bindings → light.lamp → 1"),
        (FaultKind.UNKNOWN_KEY, "bindings → light.lamp → 2 → scal"),
        (FaultKind.WRONG_VALUE, "bindings → light.lamp → 3 → identifier"),
        (FaultKind.WRONG_VALUE, "bindings → light.lamp → 3 → access"),
        (FaultKind.WRONG_VALUE, "bindings → light.lamp → 3 → min_interval"),
        (FaultKind.WRONG_VALUE, "bindings → light.lamp → 3 → confirmed"),
        (FaultKind.WRONG_VALUE, "bindings → light.lamp → 4 → conversion → scale"),
        (FaultKind.WRONG_VALUE, "bindings → light.lamp → 4 → conversion → digits"),
        (FaultKind.UNKNOWN_KEY, "bindings → light.lamp → 4 → conversion → bend"),
        (FaultKind.WRONG_VALUE, "bindings → light.lamp → 4 → conversion → options → a"),
        (FaultKind.MISSING, "bindings → light.lamp → 5"),
        (FaultKind.UNKNOWN_KEY, "bindings → light.lamp → 6 → entity"),
        (FaultKind.WRONG_VALUE, "bindings → light.lamp → 7 → actions"),
        (FaultKind.UNKNOWN_RULE, "bindings → light.lamp → 8"),
        (FaultKind.IDENTIFIER_TWICE, "bindings → sensor.x → 1"),
        (FaultKind.WRONG_VALUE, "bindings → no_entity → 1 → aspect"),
        (FaultKind.MISSING, "bindings → no_entity → 2"),
        (FaultKind.WRONG_VALUE, "bindings → no_entity → 3 → access"),
        (FaultKind.WRONG_VALUE, "services → A"),
        (FaultKind.WRONG_VALUE, "services → B → script"),
        (FaultKind.WRONG_VALUE, "services → C"),
        (FaultKind.WRONG_VALUE, "events → A"),
        (FaultKind.WRONG_VALUE, "events → B → 1"),
        (FaultKind.WRONG_VALUE, "events → B → 2"),
        (FaultKind.WRONG_VALUE, "events → B → 3"),
        (FaultKind.WRONG_VALUE, "events → B → 4 → entity"),
        (FaultKind.WRONG_VALUE, "events → C → 1 → triggers"),
        (FaultKind.WRONG_VALUE, "events → C → 2 → output"),
        (FaultKind.UNKNOWN_KEY, "events → C → 3 → put"),
        (FaultKind.WRONG_VALUE, "events → get → 1 → identifier"),
        (FaultKind.WRONG_VALUE, "rules → R → left_out → lamp"),
        (FaultKind.WRONG_VALUE, "rules → R → left_out → light.lamp"),
        (FaultKind.WRONG_VALUE, "rules → S → left_out"),
        (FaultKind.WRONG_VALUE, "rules → T"),
    }
    no_rules = HEAD + "rules: 5\nbindings: {light.lamp: [{identifier: A, aspect: power, rule: R}]}"
    assert {(kind, where) for kind, where, _ in faults(no_rules)} == {
        (FaultKind.WRONG_VALUE, "rules"),
        (FaultKind.UNKNOWN_RULE, "bindings → light.lamp → 1"),
    }
    sides = HEAD + "rules: {R: {include: {area: x, area_id: [1]}, hidden_too: 5}}"
    assert {(kind, where) for kind, where, _ in faults(sides)} == {
        (FaultKind.UNKNOWN_KEY, "rules → R → include → area"),
        (FaultKind.WRONG_VALUE, "rules → R → include → area_id"),
        (FaultKind.WRONG_VALUE, "rules → R → hidden_too"),
    }


SUB_DEVICES = """\
sub_devices:
  - product_key: a1Lamps
    device_name: desk-lamp
    title: 台灯
    stands_for:
      device_id:
        abc: Desk lamp
    bindings:
      light.desk:
        - identifier: Power
          aspect: power
    services:
      Wink:
        script: script.wink
    events:
      Rang:
        - entity: event.bell
  - product_key: a1Lamps
    device_name: floor-lamp
    stands_for:
      entity_id: light.floor
"""


@given(bindings=BINDINGS, services=SERVICES, events=EVENTS)
def test_mapping_of_a_sub_device_is_the_same_after_writing_and_reading(
    bindings: list[Binding], services: list[ServiceBinding], events: list[EventBinding]
) -> None:
    """Nothing is lost; the rules of the own device are not those of a sub-device."""
    sub_device = DocumentedSubDevice("a1Lamps", "lamp-1", stands_for=StandsFor("entity_id", "light.a"))
    mapping = Document.of([replace(binding, rule="") for binding in bindings], services, events=events)
    document = Document(sub_devices={sub_device.name: sub_device}, mappings={sub_device.name: mapping})
    assert read(write(document)) == document


def test_sub_devices_are_written_as_they_were_read() -> None:
    """With the sections that the own device has. A document without them, and one with an empty list, differ."""
    document = read(HEAD + SUB_DEVICES)
    assert write(document).endswith(SUB_DEVICES)
    assert document.mappings["a1Lamps.desk-lamp"].bindings == {"Power": Binding("Power", "light.desk", "power")}
    assert not document.bindings
    assert read(HEAD).sub_devices is None
    assert read(HEAD + "sub_devices: []").sub_devices == {}
    assert read(write(read(HEAD + "sub_devices: []"))).sub_devices == {}


def test_faults_of_sub_devices_have_their_paths() -> None:
    """Those of their bindings too. A secret is refused, and its value is not repeated."""
    text = (
        HEAD
        + """
device_secret: 5ec4e7
sub_devices:
  - just words
  - {product_key: a1Lamps, device_name: lamp-1, device_secret: 5ec4e7, product_secret: 5ec4e7, rules: {}}
  - {product_key: a1-Lamps, device_name: lamp-2}
  - {product_key: a1Lamps, device_name: abc, title: 5}
  - {product_key: a1Lamps}
  - {product_key: a1Lamps, device_name: lamp-3}
  - {product_key: a1Lamps, device_name: lamp-3}
  - {product_key: a1Lamps, device_name: lamp-4, stands_for: {entity_id: light.a, device_id: b}}
  - {product_key: a1Lamps, device_name: lamp-5, stands_for: {entity_id: Lamp}}
  - product_key: a1Lamps
    device_name: lamp-6
    bindings:
      light.a: [{identifier: A, aspect: power, rule: Binds}, {identifier: B, aspect: power, scal: 1}]
      light.c: [{identifier: F, aspect: power, rule: Makes}]
      light.b: [{identifier: C, aspect: power}, {identifier: C, aspect: power}]
    services: {D: {}}
    events: {E: [{}]}
rules: {Makes: {product_key: a1Lamps}, Binds: {}}
"""
    )
    with pytest.raises(DocumentError) as error:
        read(text)
    assert "5ec4e7" not in repr(error.value.faults)
    assert {(fault.kind, fault.where) for fault in error.value.faults} == {
        (FaultKind.SECRET, "device_secret"),
        (FaultKind.WRONG_VALUE, "sub_devices → 1"),
        (FaultKind.SECRET, "sub_devices → 2 → device_secret"),
        (FaultKind.SECRET, "sub_devices → 2 → product_secret"),
        (FaultKind.UNKNOWN_KEY, "sub_devices → 2 → rules"),
        (FaultKind.WRONG_VALUE, "sub_devices → 3 → product_key"),
        (FaultKind.WRONG_VALUE, "sub_devices → 4 → title"),
        (FaultKind.MISSING, "sub_devices → 5"),
        (FaultKind.SUB_DEVICE_TWICE, "sub_devices → 7"),
        (FaultKind.WRONG_VALUE, "sub_devices → 8 → stands_for"),
        (FaultKind.WRONG_VALUE, "sub_devices → 9 → stands_for"),
        (FaultKind.UNKNOWN_RULE, "sub_devices → 10 → bindings → light.a → 1"),
        (FaultKind.UNKNOWN_KEY, "sub_devices → 10 → bindings → light.a → 2 → scal"),
        (FaultKind.IDENTIFIER_TWICE, "sub_devices → 10 → bindings → light.b → 2"),
        (FaultKind.WRONG_VALUE, "sub_devices → 10 → services → D"),
        (FaultKind.WRONG_VALUE, "sub_devices → 10 → events → E → 1"),
    }
    twice = next(fault for fault in error.value.faults if fault.kind is FaultKind.IDENTIFIER_TWICE)
    assert twice.placeholders["other"] == "sub_devices → 10 → bindings → light.b → 1"
    assert faults(HEAD + "sub_devices: {}") == [(FaultKind.WRONG_VALUE, "sub_devices", None)]


def test_more_sub_devices_than_a_gateway_can_have() -> None:
    """They are refused together, before the cloud would refuse the last ones."""
    rows = [{"product_key": "a1Lamps", "device_name": f"lamp-{number}"} for number in range(2001)]
    with pytest.raises(DocumentError) as error:
        Document.parse({"format": FORMAT, "version": VERSION, "sub_devices": rows})
    [fault] = error.value.faults
    assert (fault.kind, fault.where) == (FaultKind.TOO_MANY_SUB_DEVICES, "sub_devices")
    assert fault.placeholders == {"count": "2,001", "limit": "2,000"}
    assert len(Document.parse({"format": FORMAT, "version": VERSION, "sub_devices": rows[1:]}).sub_devices) == 2000


@pytest.mark.parametrize(
    ("data", "where"),
    [
        ({"services": {"A": {"actions": [{"data": {"a": float("nan")}}]}}}, "services → A → actions → 1 → data → a"),
        ({"services": {"A": {"actions": [{"data": {"a": 2**70}}]}}}, "services → A → actions → 1 → data → a"),
        ({"services": {"A": {"actions": [{1: 2}]}}}, "services → A → actions → 1"),
        ({"bindings": {"light.lamp": [{"identifier": object()}]}}, "bindings → light.lamp → 1 → identifier"),
        ({"bindings": {"light.lamp": [{"unit": "\ud83d"}]}}, "bindings → light.lamp → 1 → unit"),
    ],
)
def test_data_that_cannot_be_stored_are_refused(data: dict[str, Any], where: str) -> None:
    """The data of an action may be anything; what JSON can't hold would keep Home Assistant from saving its entries."""
    with pytest.raises(DocumentError) as error:
        Document.parse({"format": "aliyun_iot_mapping", "version": 1, **data})
    assert [(fault.where, fault.expected in (Expected.PLAIN, Expected.TEXT)) for fault in error.value.faults] == [
        (where, True)
    ]


def test_endless_data_are_refused() -> None:
    """A list that contains itself is refused."""
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(DocumentError) as error:
        Document.parse({"format": "aliyun_iot_mapping", "version": 1, "bindings": loop})
    assert error.value.faults[0].kind is FaultKind.TOO_DEEP
