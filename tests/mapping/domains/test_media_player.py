"""Players: one set becomes few actions in an order that is heard as it was meant."""

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

from ..asking import changed, commands, read

EVERYTHING = sum(Feature)


@pytest.fixture
def player() -> State:
    """Return a player that plays."""
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
        },
    )


def test_a_player_says_what_it_plays(player: State) -> None:
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
        "command": None,
    }


@pytest.mark.parametrize("state", ["off", "standby"])
def test_a_player_that_is_off_says_nothing_else(state: str) -> None:
    """Home Assistant shows no attributes then; nothing becomes 0 or empty."""
    said = read(State("media_player.tv", state, {"supported_features": EVERYTHING}))
    assert {key: value for key, value in said.items() if value is not None} == {"power": False, "playback": "off"}


def test_everything_at_once_is_heard_as_it_was_meant(player: State) -> None:
    """The right source and volume before the first sound."""
    wanted: dict[str, Value] = {
        "playback": "playing",
        "repeat": "all",
        "shuffle": False,
        "mute": False,
        "volume": 30,
        "sound_mode": "party",
        "source": "Radio",
        "power": True,
    }
    assert commands(changed(player, "off"), wanted) == [
        ActionCall("media_player", "turn_on"),
        ActionCall("media_player", "select_source", {"source": "Radio"}),
        ActionCall("media_player", "select_sound_mode", {"sound_mode": "party"}),
        ActionCall("media_player", "volume_set", {"volume_level": 0.3}),
        ActionCall("media_player", "volume_mute", {"is_volume_muted": False}),
        ActionCall("media_player", "shuffle_set", {"shuffle": False}),
        ActionCall("media_player", "repeat_set", {"repeat": "all"}),
        ActionCall("media_player", "media_play"),
    ]


def test_off_wins_over_everything_else(player: State) -> None:
    """Nobody who says off wants to hear anything."""
    assert commands(player, {"power": False, "volume": 50, "playback": "playing"}) == [
        ActionCall("media_player", "turn_off")
    ]


@pytest.mark.parametrize(
    ("wanted", "action"), [("playing", "media_play"), ("paused", "media_pause"), ("idle", "media_stop")]
)
def test_three_states_can_be_set(player: State, wanted: str, action: str) -> None:
    """Those that have an action of their own."""
    assert commands(player, {"playback": wanted}) == [ActionCall("media_player", action)]


@pytest.mark.parametrize("wanted", ["off", "on", "buffering"])
def test_the_other_states_can_only_be_seen(player: State, wanted: str) -> None:
    """Nobody can order a player to buffer."""
    with pytest.raises(Refused, match="can't be set to") as refused:
        commands(player, {"playback": wanted})
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
def test_a_remote_control_has_keys(player: State, command: str, action: str) -> None:
    """Each command is one action."""
    assert commands(player, {"command": command}) == [ActionCall("media_player", action)]


def test_a_player_has_no_more_than_it_supports() -> None:
    """A speaker that only gets louder and softer, and stops."""
    speaker = State("media_player.speaker", "idle", {"supported_features": Feature.VOLUME_STEP | Feature.STOP})
    command = aspect_of(speaker.entity_id, "command")
    assert command.options(speaker) == ("stop", "volume_up", "volume_down")
    assert set(read(speaker)) == {"power", "playback", "command", "title", "artist", "album", "app"}
    refused: tuple[dict[str, Value], ...] = ({"power": False}, {"playback": "playing"}, {"volume": 3}, {"mute": True})
    for values in refused:
        with pytest.raises(Refused):
            commands(speaker, values)


def test_a_player_that_can_only_be_turned_off_is_not_turned_on(player: State) -> None:
    """The feature decides for each way."""
    one_way = changed(player, supported_features=Feature.TURN_OFF)
    assert commands(one_way, {"power": False}) == [ActionCall("media_player", "turn_off")]
    with pytest.raises(Refused, match="turned on"):
        commands(one_way, {"power": True})


def test_a_chinese_television_is_recognised(player: State) -> None:
    """By the names of its properties, and the states by theirs."""
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
    found = {one.identifier: one.aspect for one in suggest(player, model, ())}
    assert found == {"p1": "volume", "p2": "mute", "p3": "playback", "p4": "source", "p5": "repeat"}
    playback = aspect_of(player.entity_id, "playback")
    wanted = [to_ha(key, playback, states, Conversion(), player) for key in states.items]
    assert wanted == ["idle", "playing", "paused"]
