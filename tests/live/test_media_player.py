"""Players."""

from homeassistant.components.media_player import MediaPlayerState

from ..things.media import Player
from .driving import Changes, Drive, Happens, Refuses, Sets, Story

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
        Sets({"power": False, "volume": 99}, ("media_player.turn_off",), {"power": False, "playback": "off"}),
        Sets(
            {"playback": "playing", "volume": 37, "source": "Radio", "power": True},
            (
                "media_player.turn_on",
                "media_player.select_source",
                "media_player.volume_set",
                "media_player.media_play",
            ),
        ),
        Sets(
            {"mute": True, "sound_mode": "party", "shuffle": True, "repeat": "all"},
            (
                "media_player.select_sound_mode",
                "media_player.volume_mute",
                "media_player.shuffle_set",
                "media_player.repeat_set",
            ),
        ),
        Sets({"playback": "paused"}, ("media_player.media_pause",)),
        Sets({"command": "next"}, ("media_player.media_next_track",), {"title": "Second"}),
        Sets({"playback": "idle"}, ("media_player.media_stop",)),
        Refuses({"playback": "buffering"}, 100002),
        Refuses({"source": "Cassette"}, 100009),
        Refuses({"volume": 101}, 100009),
        Refuses({"command": "previous"}, 100009),
        Happens("media_player.volume_set", {"volume_level": 0.58}, {"volume": 58}),
        Changes({"_attr_state": MediaPlayerState.BUFFERING}, {"playback": "buffering"}),
    ),
)


async def test_both_ways(drive: Drive) -> None:
    """The cloud learns what is played, and decides what is."""
    await drive(PLAYER)
