"""Players: one set is a few actions, in an order that avoids unwanted sound."""

from homeassistant.components.media_player import MediaPlayerEntityFeature as Feature
from homeassistant.core import State
import pytest

from custom_components.aliyun_iot.alink.model.datatypes import BoolType, EnumType, IntType
from custom_components.aliyun_iot.alink.model.thing_model import Property, ThingModel
from custom_components.aliyun_iot.mapping.aspect import ActionCall, Reason, Refused, Value
from custom_components.aliyun_iot.mapping.binding import Conversion
from custom_components.aliyun_iot.mapping.convert import to_ha
from custom_components.aliyun_iot.mapping.domains import aspect_of
from custom_components.aliyun_iot.mapping.suggest.suggestions import suggest

from ..domain_helpers import actions_for, changed, read

EVERYTHING = sum(Feature)


@pytest.fixture
def player() -> State:
    """Return a playing player."""
    return State(
        "media_player.living_room",
        "playing",
        {
            "supported_features": EVERYTHING,
            "volume_level": 0.29,
            "is_volume_muted": False,
            "source": "TV",
            "source_list": ["TV", "Radio"],
            "sound_mode": "night",
            "sound_mode_list": ["night", "party"],
            "shuffle": True,
            "repeat": "one",
            "media_title": "月亮代表我的心",
            "media_artist": "邓丽君",
            "media_album_name": "岛国之情歌",
            "app_name": "Music",
            "media_position": 17,
            "media_duration": 215,
        },
    )


def test_values_of_a_player(player: State) -> None:
    """All but the position, which Home Assistant doesn't keep up to date."""
    assert read(player) == {
        "power": True,
        "playback": "playing",
        "volume": pytest.approx(29),
        "mute": False,
        "source": "TV",
        "sound_mode": "night",
        "shuffle": True,
        "repeat": "one",
        "title": "月亮代表我的心",
        "artist": "邓丽君",
        "album": "岛国之情歌",
        "app": "Music",
        "channel": None,
        "duration": 215,
    }


@pytest.mark.parametrize("state", ["off", "standby"])
def test_player_that_is_off_has_no_other_values(state: str) -> None:
    """It has no attributes then; nothing becomes 0 or empty."""
    values = read(State("media_player.tv", state, {"supported_features": EVERYTHING}))
    assert {key: value for key, value in values.items() if value is not None} == {"power": False, "playback": "off"}


def test_order_of_actions_for_all_values_at_once(player: State) -> None:
    """Source and volume are set before playback."""
    wanted: dict[str, Value] = {
        "playback": "playing",
        "repeat": "all",
        "shuffle": False,
        "mute": False,
        "volume": 30,
        "sound_mode": "party",
        "source": "Radio",
        "power": True,
        "seek": 90.0,
    }
    assert actions_for(changed(player, "off"), wanted) == [
        ActionCall("media_player", "turn_on"),
        ActionCall("media_player", "select_source", {"source": "Radio"}),
        ActionCall("media_player", "select_sound_mode", {"sound_mode": "party"}),
        ActionCall("media_player", "volume_set", {"volume_level": 0.3}),
        ActionCall("media_player", "volume_mute", {"is_volume_muted": False}),
        ActionCall("media_player", "shuffle_set", {"shuffle": False}),
        ActionCall("media_player", "repeat_set", {"repeat": "all"}),
        ActionCall("media_player", "media_seek", {"seek_position": 90.0}),
        ActionCall("media_player", "media_play"),
    ]


def test_off_wins_over_everything_else(player: State) -> None:
    """Nothing else is done."""
    assert actions_for(player, {"power": False, "volume": 50, "playback": "playing"}) == [
        ActionCall("media_player", "turn_off")
    ]


@pytest.mark.parametrize(
    ("wanted", "action"), [("playing", "media_play"), ("paused", "media_pause"), ("idle", "media_stop")]
)
def test_three_states_can_be_set(player: State, wanted: str, action: str) -> None:
    """Those that have an action."""
    assert actions_for(player, {"playback": wanted}) == [ActionCall("media_player", action)]


@pytest.mark.parametrize("wanted", ["off", "on", "buffering"])
def test_other_states_can_only_be_reported(player: State, wanted: str) -> None:
    """There is no action for them."""
    with pytest.raises(Refused, match="can't be set to") as refused:
        actions_for(player, {"playback": wanted})
    assert refused.value.reason is Reason.NOT_SUPPORTED


@pytest.mark.parametrize(
    ("command", "action"),
    [
        ("play", "media_play"),
        ("pause", "media_pause"),
        ("stop", "media_stop"),
        ("next", "media_next_track"),
        ("previous", "media_previous_track"),
        ("volume_up", "volume_up"),
        ("volume_down", "volume_down"),
    ],
)
def test_playback_commands(player: State, command: str, action: str) -> None:
    """Each command is one action."""
    assert actions_for(player, {"command": command}) == [ActionCall("media_player", action)]


def test_player_has_only_what_it_supports() -> None:
    """A speaker with volume steps and stop only."""
    speaker = State("media_player.speaker", "idle", {"supported_features": Feature.VOLUME_STEP | Feature.STOP})
    command = aspect_of(speaker.entity_id, "command")
    assert command.options(speaker) == ("stop", "volume_up", "volume_down")
    assert set(read(speaker)) == {"power", "playback", "title", "artist", "album", "app", "channel", "duration"}
    refused: tuple[dict[str, Value], ...] = ({"power": False}, {"playback": "playing"}, {"volume": 3}, {"mute": True})
    for values in refused:
        with pytest.raises(Refused):
            actions_for(speaker, values)


def test_player_that_can_only_be_turned_off_is_not_turned_on(player: State) -> None:
    """Each direction has its own feature."""
    one_way = changed(player, supported_features=Feature.TURN_OFF)
    assert actions_for(one_way, {"power": False}) == [ActionCall("media_player", "turn_off")]
    with pytest.raises(Refused, match="turned on"):
        actions_for(one_way, {"power": True})


def test_chinese_thing_model_of_a_television_is_recognised(player: State) -> None:
    """By the names of its properties, and its items by their labels."""
    states = EnumType({0: "停止", 1: "播放", 2: "暂停"})
    model = ThingModel(
        properties={
            key: Property(key, name, True, True, False, data_type)
            for key, (name, data_type) in {
                "p1": ("音量", IntType(0, 100)),
                "p2": ("静音", BoolType({0: "关", 1: "开"})),
                "p3": ("播放状态", states),
                "p4": ("信号源", EnumType({1: "TV", 2: "Radio"})),
                "p5": ("循环播放", EnumType({0: "off", 1: "单曲循环", 2: "列表循环"})),
            }.items()
        }
    )
    found = {suggestion.identifier: suggestion.aspect for suggestion in suggest(player, model, ())}
    assert found == {"p1": "volume", "p2": "mute", "p3": "playback", "p4": "source", "p5": "repeat"}
    playback = aspect_of(player.entity_id, "playback")
    wanted = [to_ha(key, playback, states, Conversion(), player) for key in states.items]
    assert wanted == ["idle", "playing", "paused"]
