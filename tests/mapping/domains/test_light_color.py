"""Lights: hue, saturation and brightness in one property, and effects."""

from homeassistant.components.light import ColorMode, LightEntityFeature
from homeassistant.core import State
from hypothesis import given, strategies as st
import pytest

from custom_components.aliyun_iot.alink.model.datatypes import DoubleType, Field, IntType, StructType, TextType
from custom_components.aliyun_iot.alink.model.thing_model import ThingModel
from custom_components.aliyun_iot.mapping.aspect import ActionCall, Reason, Refused, Value
from custom_components.aliyun_iot.mapping.binding import Access, Conversion
from custom_components.aliyun_iot.mapping.color import HSV, color_hsv, color_members, hsv_color
from custom_components.aliyun_iot.mapping.convert import carries, to_cloud, to_ha
from custom_components.aliyun_iot.mapping.domains import aspect_of
from custom_components.aliyun_iot.mapping.suggest.suggestions import suggest

from ..domain_helpers import actions_for, changed, read

LAMP = State(
    "light.lamp",
    "on",
    {
        "supported_color_modes": [ColorMode.HS],
        "color_mode": ColorMode.HS,
        "hs_color": (120.0, 50.0),
        "rgb_color": (128, 255, 128),
        "brightness": 102,
        "supported_features": LightEntityFeature.EFFECT,
        "effect_list": ["rainbow"],
        "effect": "rainbow",
    },
)


def test_colour_is_reported_in_degrees_and_percent() -> None:
    """The value in HSV is the brightness, which is not part of the plain colour."""
    state = read(LAMP)
    assert state["color"] == (128, 255, 128)
    assert to_cloud(state["hsv"], aspect_of("light.lamp", "hsv"), HSV, Conversion(), LAMP) == {
        "Hue": 120,
        "Saturation": 50,
        "Value": 40,
    }


def test_set_of_a_colour_in_degrees_is_one_action() -> None:
    """With hue, saturation and brightness; a separate brightness wins, black turns off."""
    aspect = aspect_of("light.lamp", "hsv")
    wanted = to_ha({"Hue": 201, "Saturation": 3, "Value": 7}, aspect, HSV, Conversion(), LAMP)
    lit = {"hs_color": [201, 3], "brightness": 18}
    assert actions_for(LAMP, {"hsv": wanted}) == [ActionCall("light", "turn_on", lit)]
    assert actions_for(LAMP, {"hsv": wanted, "brightness": 100}) == [
        ActionCall("light", "turn_on", lit | {"brightness": 255})
    ]
    assert actions_for(LAMP, {"hsv": (0, 0, 0)}) == [ActionCall("light", "turn_off")]
    for other in ({"color": (255, 0, 0)}, {"hsv": wanted, "color": (255, 0, 0)}):
        if "hsv" not in other:
            assert actions_for(LAMP, other) == [ActionCall("light", "turn_on", {"rgb_color": [255, 0, 0]})]
            continue
        with pytest.raises(Refused) as refused:
            actions_for(LAMP, other)
        assert refused.value.reason is Reason.CONFLICT


STRIP = State(
    "light.strip",
    "on",
    {"supported_color_modes": [ColorMode.RGB, ColorMode.WHITE], "color_mode": ColorMode.WHITE, "brightness": 102},
)


def test_white_is_the_brightness_of_the_white_mode() -> None:
    """In another mode it has no value, and a light without the mode does not have it."""
    assert (read(STRIP)["white"], read(STRIP)["brightness"]) == (40, 40)
    assert read(changed(STRIP, color_mode=ColorMode.RGB))["white"] is None
    assert read(changed(STRIP, "off", color_mode=None, brightness=None))["white"] is None
    assert "white" not in read(LAMP)


@pytest.mark.parametrize(
    ("values", "call"),
    [
        ({"white": 40}, ActionCall("light", "turn_on", {"white": 102})),
        ({"white": 40, "power": True}, ActionCall("light", "turn_on", {"white": 102})),
        ({"white": 40, "brightness": 100}, ActionCall("light", "turn_on", {"white": 255})),
        ({"white": 0}, ActionCall("light", "turn_off")),
        ({"white": 40, "power": False}, ActionCall("light", "turn_off")),
        ({"white": 40, "brightness": 0}, ActionCall("light", "turn_off")),
    ],
)
def test_set_of_white_is_one_action(values: dict[str, Value], call: ActionCall) -> None:
    """It turns the light on like a brightness; a separate brightness wins, as Home Assistant does it."""
    assert actions_for(STRIP, values) == [call]


def test_white_and_a_colour_exclude_each_other() -> None:
    """Home Assistant takes one of them per action."""
    with pytest.raises(Refused, match="white") as refused:
        actions_for(STRIP, {"white": 40, "color": (255, 0, 0)})
    assert refused.value.reason is Reason.CONFLICT


def test_light_flashes_with_the_same_action() -> None:
    """If it supports that; off wins."""
    lamp = changed(LAMP, supported_features=int(LightEntityFeature.FLASH))
    assert actions_for(lamp, {"flash": "long", "brightness": 100}) == [
        ActionCall("light", "turn_on", {"flash": "long", "brightness": 255})
    ]
    assert actions_for(lamp, {"flash": "long", "power": False}) == [ActionCall("light", "turn_off")]
    assert not aspect_of("light.lamp", "flash").supported(LAMP)


def test_effect_turns_the_light_on() -> None:
    """It is a field of the same action."""
    assert read(LAMP)["effect"] == "rainbow"
    assert actions_for(changed(LAMP, "off"), {"effect": "rainbow", "brightness": 10}) == [
        ActionCall("light", "turn_on", {"effect": "rainbow", "brightness": 26})
    ]


@pytest.mark.parametrize(
    "attributes",
    [
        {"hs_color": None},
        {"hs_color": (400, 50)},
        {"hs_color": (120,)},
        {"hs_color": "green"},
        {"brightness": None},
        {"brightness": 1e9},
        {"color_mode": ColorMode.COLOR_TEMP},
    ],
)
def test_invalid_colour_has_no_value(attributes: dict[str, object]) -> None:
    """White light has no hue, and attributes may be anything."""
    assert read(changed(LAMP, **attributes))["hsv"] is None


def struct(*names: str, kind: type[IntType | DoubleType | TextType] = IntType) -> StructType:
    """Return a structure of members of one type."""
    return StructType({name: Field(name, name, kind()) for name in names})


@pytest.mark.parametrize(
    ("data_type", "known"),
    [
        (HSV, True),
        (struct("h", "s", "v", kind=DoubleType), True),
        (struct("Red", "Green", "Blue"), True),
        (struct("Hue", "Saturation", "Lightness"), False),
        (struct("Hue", "Saturation", "Value", "Time"), False),
        (struct("Hue", "Saturation", "Value", kind=TextType), False),
    ],
)
def test_colour_structures_are_recognised_by_their_members(data_type: StructType, known: bool) -> None:
    """Other structures are not taken for a colour."""
    assert (color_members(data_type) is not None) is known
    assert carries(aspect_of("light.lamp", "color"), data_type, Conversion()) is known


@pytest.mark.parametrize("value", [{"Hue": 361, "Saturation": 0, "Value": 0}, {"Hue": 1}, {"Hue": None}, {}])
def test_colour_out_of_range_is_refused(value: dict[str, int]) -> None:
    """A property without limits lets an application set anything."""
    with pytest.raises(Refused):
        to_ha(value, aspect_of("light.lamp", "hsv"), struct("Hue", "Saturation", "Value"), Conversion(), LAMP)


@given(hue=st.integers(0, 359), saturation=st.integers(1, 100), value=st.integers(1, 100))
def test_pale_and_dark_colours_keep_their_hue(hue: int, saturation: int, value: int) -> None:
    """There are more of them than three bytes can distinguish."""
    there_and_back = color_hsv(hsv_color(hue, saturation, value))
    assert [round(part, 3) for part in there_and_back] == [hue, saturation, value]


def test_thing_model_decides_the_form_of_colours() -> None:
    """No second property is generated for the same colour, but one that exists is suggested."""
    assert "HSVColor" not in {suggestion.identifier for suggestion in suggest(LAMP, None, ())}
    model = ThingModel.parse(
        {
            "properties": [
                {"identifier": "HSVColor", "name": "HSV调色", "accessMode": "rw", "dataType": HSV.to_tsl()},
            ]
        }
    )
    (suggestion,) = suggest(LAMP, model, ())
    assert (suggestion.aspect, suggestion.access) == ("hsv", Access.BOTH)
