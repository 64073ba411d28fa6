"""Bindings as stored data: what is accepted, what is refused, what is not stored."""

import json
from typing import Any

from hypothesis import given, strategies as st
import pytest
import voluptuous as vol

# Home Assistant has to be imported first: it decides which package is imported as voluptuous.
from custom_components.aliyun_iot.mapping.binding import Access, Binding, Conversion, ServiceBinding

MINIMAL = {"identifier": "Brightness", "entity": "light.lamp", "aspect": "brightness"}


def test_three_fields_are_required() -> None:
    """All others have a default, and defaults aren't stored."""
    binding = Binding.from_dict(MINIMAL)
    assert binding == Binding(
        "Brightness", "light.lamp", "brightness", Access.REPORT, Conversion(), 0, 0, confirmed=False
    )
    assert binding.as_dict() == MINIMAL
    assert (binding.access.reports, binding.access.controls) == (True, False)


def test_values_other_than_defaults_are_stored() -> None:
    """They are the same after storage as JSON."""
    data = MINIMAL | {
        "identifier": "bedroom:Mode",
        "access": "both",
        "conversion": {"scale": 2.55, "digits": 1, "options": {"cool": 1, "heat": "制热"}},
        "min_interval": 2.5,
        "dead_band": 0.5,
        "confirmed": True,
    }
    binding = Binding.from_dict(data)
    assert binding.access is Access.BOTH
    assert binding.conversion == Conversion(scale=2.55, digits=1, options={"cool": 1, "heat": "制热"})
    assert json.loads(json.dumps(binding.as_dict())) == data


def test_options_may_come_from_yaml() -> None:
    """YAML reads an unquoted on as true, and 1 as a number."""
    binding = Binding.from_dict(MINIMAL | {"conversion": {"options": {True: 1, False: 0, 50: True}}})
    assert binding.conversion.options == {"on": 1, "off": 0, "50": 1}


@pytest.mark.parametrize(
    "change",
    [
        {"identifier": ""},
        {"identifier": "a" * 51},
        {"identifier": "has space"},
        {"identifier": "温度"},
        {"identifier": "time"},
        {"identifier": "module:value"},
        {"identifier": "a:b:c"},
        {"identifier": ":Brightness"},
        {"identifier": 5},
        {"identifier": "Line\n"},
        {"entity": ""},
        {"aspect": None},
        {"access": "write"},
        {"conversion": {"scale": 0}},
        {"conversion": {"scale": "much"}},
        {"conversion": {"scale": "1_000"}},
        {"conversion": {"offset": "١٢"}},
        {"conversion": {"offset": " 5 "}},
        {"conversion": {"digits": "1_0"}},
        {"conversion": {"digits": 1.5}},
        {"min_interval": "inf"},
        {"conversion": {"scale": True}},
        {"conversion": {"offset": float("nan")}},
        {"conversion": {"digits": -1}},
        {"conversion": {"digits": 10}},
        {"conversion": {"invert": "yes"}},
        {"conversion": {"options": {"on": 1.5}}},
        {"conversion": {"options": {None: 1}}},
        {"conversion": {"unknown": 1}},
        {"min_interval": -1},
        {"dead_band": float("inf")},
        {"confirmed": 1},
        {"source": 7, "aspect": "attribute"},
        {"source": " ", "aspect": "attribute"},
        {"source": "", "aspect": "template"},
        {"entity": "", "aspect": "raw_state"},
        {"entity": "", "aspect": "attribute", "source": "x"},
        {"access": "both", "aspect": "actions", "actions": [{"action": "a.b"}]},
        {"actions": [], "aspect": "actions", "access": "control"},
        {"actions": ["a.b"]},
        {"conversion": {"template": None}},
        {"colour": "red"},
    ],
)
def test_invalid_binding_is_refused(change: dict[str, Any]) -> None:
    """The exception has the path of the fault."""
    with pytest.raises(vol.Invalid) as error:
        Binding.from_dict(MINIMAL | change)
    assert str(next(iter(change))) in str(error.value.path)


@given(
    st.builds(
        Binding,
        identifier=st.from_regex(r"\A([a-z]{1,8}:)?[A-Za-z0-9_]{6,50}\Z"),
        entity=st.text(min_size=1),
        aspect=st.text(min_size=1),
        access=st.sampled_from(Access),
        conversion=st.builds(
            Conversion,
            scale=st.floats(0.001, 1000),
            offset=st.floats(-1000, 1000),
            invert=st.booleans(),
            digits=st.none() | st.integers(0, 9),
            clamp=st.booleans(),
            options=st.dictionaries(st.text(), st.integers() | st.text()),
            unit=st.text(),
            template=st.text(),
            template_back=st.text(),
        ),
        min_interval=st.floats(0, 1e6),
        dead_band=st.floats(0, 1e6),
        confirmed=st.booleans(),
        source=st.text(),
        actions=st.lists(st.just({"action": "light.toggle"})),
        rule=st.text(),
    ).filter(lambda binding: binding.aspect not in ("attribute", "template", "actions"))
)
def test_every_binding_is_the_same_after_storage(binding: Binding) -> None:
    """As JSON."""
    assert Binding.from_dict(json.loads(json.dumps(binding.as_dict()))) == binding


@pytest.mark.parametrize(
    "row",
    [
        {"identifier": "A", "entity": "zone.home", "aspect": "raw_state"},
        {"identifier": "A", "entity": "zone.home", "aspect": "attribute", "source": "radius"},
        {"identifier": "A", "entity": "zone.home", "aspect": "template", "source": "{{ 1 }}"},
        {"identifier": "A", "entity": "", "aspect": "template", "source": "{{ 1 }}"},
        {
            "identifier": "A",
            "entity": "",
            "aspect": "actions",
            "access": "control",
            "actions": [{"action": "light.toggle"}],
        },
    ],
)
def test_binding_of_a_generic_aspect(row: dict[str, Any]) -> None:
    """Only the fields that it needs are stored; only a template and actions need no entity."""
    assert Binding.from_dict(row).as_dict() == row


def test_bindings_without_a_conversion_share_one_object() -> None:
    """A house has thousands of them."""
    one, other = (Binding.from_dict(MINIMAL) for _ in range(2))
    assert one.conversion is other.conversion


def test_a_service_runs_actions_or_a_script() -> None:
    """Exactly one of the two is required."""
    actions = {"identifier": "Restart", "actions": [{"action": "homeassistant.restart"}]}
    script = {"identifier": "Restart", "script": "script.restart"}
    assert ServiceBinding.from_dict(actions).as_dict() == actions
    assert ServiceBinding.from_dict(script).as_dict() == script
    for faulty in (
        {"identifier": "Restart"},
        actions | script,
        {"identifier": "set", "script": "script.restart"},
        {"identifier": "Restart", "actions": []},
        {"identifier": "Restart", "actions": ["homeassistant.restart"]},
        {"identifier": "Restart", "script": ""},
        script | {"mode": "single"},
    ):
        with pytest.raises(vol.Invalid):
            ServiceBinding.from_dict(faulty)
