"""A player."""

from typing import ClassVar

from homeassistant.components.media_player import (
    MediaPlayerEntity,
    MediaPlayerEntityFeature as Feature,
    MediaPlayerState,
    RepeatMode,
)


class Player(MediaPlayerEntity):
    """A player with two tracks that can't skip back."""

    _attr_name = "thing"
    _attr_supported_features = (
        Feature.TURN_ON
        | Feature.TURN_OFF
        | Feature.PLAY
        | Feature.PAUSE
        | Feature.STOP
        | Feature.NEXT_TRACK
        | Feature.VOLUME_SET
        | Feature.VOLUME_MUTE
        | Feature.SELECT_SOURCE
        | Feature.SELECT_SOUND_MODE
        | Feature.SHUFFLE_SET
        | Feature.REPEAT_SET
    )
    _attr_state = MediaPlayerState.IDLE
    _attr_volume_level = 0.29
    _attr_is_volume_muted = False
    _attr_source_list: ClassVar = ["TV", "Radio"]
    _attr_source = "TV"
    _attr_sound_mode_list: ClassVar = ["night", "party"]
    _attr_sound_mode = "night"
    _attr_shuffle = False
    _attr_repeat = RepeatMode.OFF
    _attr_media_title = "First"

    async def async_turn_on(self) -> None:
        """Turn on."""
        self._attr_state = MediaPlayerState.IDLE

    async def async_turn_off(self) -> None:
        """Turn off."""
        self._attr_state = MediaPlayerState.OFF

    async def async_media_play(self) -> None:
        """Play."""
        self._attr_state = MediaPlayerState.PLAYING

    async def async_media_pause(self) -> None:
        """Pause."""
        self._attr_state = MediaPlayerState.PAUSED

    async def async_media_stop(self) -> None:
        """Stop."""
        self._attr_state = MediaPlayerState.IDLE

    async def async_media_next_track(self) -> None:
        """Skip to the next track."""
        self._attr_media_title = "Second"

    async def async_set_volume_level(self, volume: float) -> None:
        """Set the volume."""
        self._attr_volume_level = volume

    async def async_mute_volume(self, mute: bool) -> None:
        """Mute or unmute."""
        self._attr_is_volume_muted = mute

    async def async_select_source(self, source: str) -> None:
        """Select a source."""
        self._attr_source = source

    async def async_select_sound_mode(self, sound_mode: str) -> None:
        """Select a sound mode."""
        self._attr_sound_mode = sound_mode

    async def async_set_shuffle(self, shuffle: bool) -> None:
        """Turn shuffle on or off."""
        self._attr_shuffle = shuffle

    async def async_set_repeat(self, repeat: RepeatMode) -> None:
        """Set the repeat mode."""
        self._attr_repeat = repeat
