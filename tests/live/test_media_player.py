"""Media players."""

from homeassistant.components.media_player import MediaPlayerState

from ..things.media import Player
from .story import CloudSet, Drive, RefusedSet, StateChange, Story, UserAction

PLAYER = Story(
    "media_player",
    Player,
    {
        "power": True,
        "playback": "idle",
        "volume": 29,
        "mute": False,
        "source": "TV",
        "sound_mode": "night",
        "shuffle": False,
        "repeat": "off",
        "title": "First",
    },
    (
        CloudSet({"power": False, "volume": 99}, ("media_player.turn_off",), {"power": False, "playback": "off"}),
        CloudSet(
            {"playback": "playing", "volume": 37, "source": "Radio", "power": True},
            (
                "media_player.turn_on",
                "media_player.select_source",
                "media_player.volume_set",
                "media_player.media_play",
            ),
        ),
        CloudSet(
            {"mute": True, "sound_mode": "party", "shuffle": True, "repeat": "all"},
            (
                "media_player.select_sound_mode",
                "media_player.volume_mute",
                "media_player.shuffle_set",
                "media_player.repeat_set",
            ),
        ),
        CloudSet({"playback": "paused"}, ("media_player.media_pause",)),
        CloudSet({"command": "next"}, ("media_player.media_next_track",), {"title": "Second"}),
        CloudSet({"playback": "idle"}, ("media_player.media_stop",)),
        RefusedSet({"playback": "buffering"}, 100002),
        RefusedSet({"source": "Cassette"}, 100009),
        RefusedSet({"volume": 101}, 100009),
        RefusedSet({"command": "previous"}, 100009),
        UserAction("media_player.volume_set", {"volume_level": 0.58}, {"volume": 58}),
        StateChange({"_attr_state": MediaPlayerState.BUFFERING}, {"playback": "buffering"}),
    ),
)


async def test_report_and_control(drive: Drive) -> None:
    """Changes are reported, and sets are carried out."""
    await drive(PLAYER)
