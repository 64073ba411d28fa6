"""Labels of generated enums: what the platform accepts, and the way back from a label to the option."""

from hypothesis import given, strategies as st
import pytest

from custom_components.aliyun_iot.mapping.model.labels import (
    DESCRIPTION_LENGTH,
    changes_in_words,
    is_legal,
    legal_labels,
    plain_label,
)
from custom_components.aliyun_iot.mapping.suggest.pairing import pair

UGLY = [
    "HDMI 1",
    "HDMI-1",
    "HDMI_1",
    "HDMI (1)",
    "hdmi 1",
    "TV Tuner (DVB-T2)",
    "Living Room Speaker Left",
    "Living Room Speaker Right",
    "-5 dB",
    "5 dB",
    "+5 dB",
    "50 %",
    "Disney+",
    "Küche",
    "Кино",
    "客厅 · 电视",
    "🎉",
    "🎊",
    "",
    "  ",
    "_-_",
    "eco",
    "ECO",
    "off",
]
OPTIONS = st.lists(st.sampled_from(UGLY) | st.text(max_size=40), unique=True, max_size=30)


def labelled(options: list[str]) -> dict[int, str]:
    """Return the items of an enum with these options."""
    return legal_labels(dict(enumerate(options)))


@pytest.mark.parametrize(
    ("option", "label"),
    [
        ("off", "off"),
        ("HDMI 1", "HDMI-1"),
        ("TV Tuner (DVB-T2)", "TV-Tuner-DVB-T2"),
        ("A/V", "A-V"),
        ("Disney+", "Disney-plus"),
        ("-5 dB", "minus-5-dB"),
        ("Küche", "Kuche"),
        ("Кино", "kino"),
        ("客厅 · 电视", "客厅-电视"),
        ("_auto", "auto"),
        ("Living Room Speaker Left", "Living-Ro_eaker-Left"),
        ("Living Room Speaker Right", "Living-Ro_aker-Right"),
    ],
)
def test_labels_are_recognisable(option: str, label: str) -> None:
    """Of a long option, the beginning and the end are kept, because lists often differ at the end."""
    assert plain_label(option) == label


@given(OPTIONS)
def test_labels_are_legal_and_unique(options: list[str]) -> None:
    """Whatever the options are; a legal one keeps its name."""
    labels = labelled(options)
    assert all(map(is_legal, labels.values()))
    assert len(set(labels.values())) == len(options)
    assert all(labels[key] == option for key, option in enumerate(options) if is_legal(option))


@given(OPTIONS)
def test_every_option_is_found_by_its_label(options: list[str]) -> None:
    """The item of an option is its position in the list that the thing model was generated from."""
    assert pair(tuple(options), tuple(labelled(options).items())) == {
        option: number for number, option in enumerate(options)
    }


@given(OPTIONS, st.data())
def test_later_list_does_not_shift_meanings(options: list[str], data: st.DataObject) -> None:
    """Options that are left keep their items when the list is reordered, shortened or extended."""
    items = tuple(labelled(options).items())
    present = data.draw(st.permutations(data.draw(st.lists(st.sampled_from(options or ["x"]), unique=True))))
    found = pair((*present, "some quite new option"), items)
    assert {option: found.get(option) for option in present if option in options} == {
        option: options.index(option) for option in present if option in options
    }


@given(OPTIONS)
def test_description_has_room(options: list[str]) -> None:
    """It is empty if nothing was changed."""
    before = dict(enumerate(options))
    text = changes_in_words(before, labelled(options))
    assert len(text) <= DESCRIPTION_LENGTH
    assert (text == "") == all(map(is_legal, options))


def test_equal_options_get_different_labels() -> None:
    """A list from an attribute has each option once, but a map of the user is not checked for it."""
    assert len(set(legal_labels({0: "HDMI 1", 1: "HDMI 1", 2: "off", 3: "off"}).values())) == 4
