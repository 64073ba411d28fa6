"""Players and televisions: power, playback, volume, source and media.

Off wins over everything else in the same `property/set`. Otherwise power comes first, then source, sound and volume, and
playback last, so that nothing plays from the wrong source or too loud. The playback states playing, paused and idle can
be set; the others are only reported. The position in a track can be set, before playback, but is not reported, because Home
Assistant doesn't keep it up to date.
"""

from collections.abc import Mapping
from functools import partial

from homeassistant.components.media_player.const import (
    ATTR_MEDIA_SEEK_POSITION,
    SERVICE_CLEAR_PLAYLIST,
    SERVICE_SELECT_SOUND_MODE,
    SERVICE_SELECT_SOURCE,
    MediaPlayerEntityCapabilityAttribute as Capability,
    MediaPlayerEntityFeature as Feature,
    MediaPlayerEntityStateAttribute as Attribute,
    MediaPlayerState,
    RepeatMode,
)
from homeassistant.const import (
    SERVICE_MEDIA_NEXT_TRACK,
    SERVICE_MEDIA_PAUSE,
    SERVICE_MEDIA_PLAY,
    SERVICE_MEDIA_PREVIOUS_TRACK,
    SERVICE_MEDIA_SEEK,
    SERVICE_MEDIA_STOP,
    SERVICE_REPEAT_SET,
    SERVICE_SHUFFLE_SET,
    SERVICE_VOLUME_DOWN,
    SERVICE_VOLUME_MUTE,
    SERVICE_VOLUME_SET,
    SERVICE_VOLUME_UP,
    STATE_STANDBY,
)
from homeassistant.core import State

from ..aspect import ActionCall, Aspect, Domain, FromAttributes, Kind, Reason, Refused, Value, setting
from ..attributes import (
    PERCENT_RANGE,
    SECONDS_RANGE,
    fixed_range,
    flag_of,
    has_attribute,
    has_feature,
    number,
    number_of,
    percent,
    seconds,
    text_of,
    texts_of,
)
from ..momentary import COMMAND, Command, CommandSet
from ..on_off import POWER, power_aspect, turn
from ..says import MUTED, SHUFFLED

NAME = "media_player"
SOURCE = "source"
SOUND_MODE = "sound_mode"
VOLUME = "volume"
MUTE = "mute"
SHUFFLE = "shuffle"
REPEAT = "repeat"
PLAYBACK = "playback"
SEEK = "seek"

PLAYBACK_STATES = (
    MediaPlayerState.OFF,
    MediaPlayerState.ON,
    MediaPlayerState.IDLE,
    MediaPlayerState.PLAYING,
    MediaPlayerState.PAUSED,
    MediaPlayerState.BUFFERING,
)
UNTOLD = (MediaPlayerState.OFF, MediaPlayerState.ON, MediaPlayerState.BUFFERING)
"""States that a property need not have: the power tells off, a player that is only on has no playback, buffering passes."""

SETTABLE_PLAYBACK: Mapping[Value, tuple[str, Feature]] = {
    MediaPlayerState.PLAYING: (SERVICE_MEDIA_PLAY, Feature.PLAY),
    MediaPlayerState.PAUSED: (SERVICE_MEDIA_PAUSE, Feature.PAUSE),
    MediaPlayerState.IDLE: (SERVICE_MEDIA_STOP, Feature.STOP),
}
COMMANDS = CommandSet(
    NAME,
    {
        "play": Command(SERVICE_MEDIA_PLAY, Feature.PLAY),
        "pause": Command(SERVICE_MEDIA_PAUSE, Feature.PAUSE),
        "stop": Command(SERVICE_MEDIA_STOP, Feature.STOP),
        "next": Command(SERVICE_MEDIA_NEXT_TRACK, Feature.NEXT_TRACK),
        "previous": Command(SERVICE_MEDIA_PREVIOUS_TRACK, Feature.PREVIOUS_TRACK),
        "volume_up": Command(SERVICE_VOLUME_UP, Feature.VOLUME_SET | Feature.VOLUME_STEP),
        "volume_down": Command(SERVICE_VOLUME_DOWN, Feature.VOLUME_SET | Feature.VOLUME_STEP),
        "clear_playlist": Command(SERVICE_CLEAR_PLAYLIST, Feature.CLEAR_PLAYLIST),
    },
)

can_turn_on = has_feature(Feature.TURN_ON)
can_turn_off = has_feature(Feature.TURN_OFF)
can_set_volume = has_feature(Feature.VOLUME_SET)
has_volume = has_attribute(Attribute.MEDIA_VOLUME_LEVEL)
_setting = partial(setting, NAME)
plays = has_feature(Feature.PLAY | Feature.PAUSE | Feature.STOP | Feature.PLAY_MEDIA)


def _plan(state: State, values: Mapping[str, Value]) -> list[ActionCall]:
    if values.get(POWER) is False:
        return [_turn(state, on=False)]
    return [
        *([_turn(state, on=True)] if POWER in values else []),
        *_setting(values, SOURCE, SERVICE_SELECT_SOURCE, Attribute.INPUT_SOURCE),
        *_setting(values, SOUND_MODE, SERVICE_SELECT_SOUND_MODE, Attribute.SOUND_MODE),
        *_volume(values),
        *_setting(values, MUTE, SERVICE_VOLUME_MUTE, Attribute.MEDIA_VOLUME_MUTED),
        *_setting(values, SHUFFLE, SERVICE_SHUFFLE_SET, Attribute.MEDIA_SHUFFLE),
        *_setting(values, REPEAT, SERVICE_REPEAT_SET, Attribute.MEDIA_REPEAT),
        *_setting(values, SEEK, SERVICE_MEDIA_SEEK, ATTR_MEDIA_SEEK_POSITION),
        *([_play(state, values[PLAYBACK])] if PLAYBACK in values else []),
        *([COMMANDS.call(values[COMMAND])] if COMMAND in values else []),
    ]


def _turn(state: State, *, on: bool) -> ActionCall:
    if not (can_turn_on if on else can_turn_off)(state):
        raise Refused(Reason.NOT_SUPPORTED, f"{state.entity_id} can't be turned {'on' if on else 'off'}")
    return turn(NAME, on=on)


def _volume(values: Mapping[str, Value]) -> list[ActionCall]:
    match values.get(VOLUME):
        case int() | float() as level:
            return [ActionCall(NAME, SERVICE_VOLUME_SET, {Attribute.MEDIA_VOLUME_LEVEL.value: level / 100})]
    return []


def _play(state: State, wanted: Value) -> ActionCall:
    action, feature = SETTABLE_PLAYBACK.get(wanted, ("", Feature(0)))
    if not has_feature(feature)(state):
        raise Refused(Reason.NOT_SUPPORTED, f"{state.entity_id} can't be set to {wanted}")
    return ActionCall(NAME, action)


def _is_on(state: State) -> bool:
    return state.state not in (MediaPlayerState.OFF, STATE_STANDBY)


def _playback(state: State) -> str:
    """Return the state; standby, which older integrations have, is off."""
    return state.state if _is_on(state) else MediaPlayerState.OFF.value


@FromAttributes
def _level(state: State) -> float | None:
    level = number(state.attributes.get(Attribute.MEDIA_VOLUME_LEVEL))
    return None if level is None else number(level * 100)


choice = partial(Aspect, kind=Kind.ENUM, writable=True)
flag = partial(Aspect, kind=Kind.BOOL, writable=True)
about_media = partial(Aspect, kind=Kind.TEXT, supported=plays)

DOMAIN = Domain(
    name=NAME,
    aspects=(
        power_aspect("PowerSwitch", source=_is_on, accepts=lambda state: can_turn_on(state) or can_turn_off(state)),
        choice(
            key=PLAYBACK,
            name_en="Playback",
            name_zh="播放状态",
            source=_playback,
            accepts=lambda state: any(has_feature(feature)(state) for _, feature in SETTABLE_PLAYBACK.values()),
            options=lambda _: PLAYBACK_STATES,
            dispensable=lambda _: UNTOLD,
            identifiers=("PlayState", "PlayStatus", "Playback"),
        ),
        Aspect(
            key=VOLUME,
            kind=Kind.NUMBER,
            name_en="Volume",
            name_zh="音量",
            source=_level,
            writable=True,
            supported=lambda state: has_volume(state) or can_set_volume(state),
            accepts=can_set_volume,
            range=fixed_range(PERCENT_RANGE),
            unit=percent,
            identifiers=("Volume", "volume"),
        ),
        flag(
            key=MUTE,
            name_en="Mute",
            name_zh="静音",
            source=flag_of(Attribute.MEDIA_VOLUME_MUTED),
            supported=has_feature(Feature.VOLUME_MUTE),
            says=MUTED,
            identifiers=("Mute", "MuteSwitch"),
        ),
        choice(
            key=SOURCE,
            name_en="Source",
            name_zh="信号源",
            source=text_of(Attribute.INPUT_SOURCE),
            supported=has_feature(Feature.SELECT_SOURCE),
            options=texts_of(Capability.INPUT_SOURCE_LIST),
            identifiers=("InputSource", "Source"),
        ),
        choice(
            key=SOUND_MODE,
            name_en="Sound mode",
            name_zh="音效",
            source=text_of(Attribute.SOUND_MODE),
            supported=has_feature(Feature.SELECT_SOUND_MODE),
            options=texts_of(Capability.SOUND_MODE_LIST),
            identifiers=("SoundMode",),
        ),
        flag(
            key=SHUFFLE,
            name_en="Shuffle",
            name_zh="随机播放",
            source=flag_of(Attribute.MEDIA_SHUFFLE),
            supported=has_feature(Feature.SHUFFLE_SET),
            says=SHUFFLED,
            identifiers=("Shuffle",),
        ),
        choice(
            key=REPEAT,
            name_en="Repeat",
            name_zh="循环播放",
            source=text_of(Attribute.MEDIA_REPEAT),
            supported=has_feature(Feature.REPEAT_SET),
            options=lambda _: tuple(RepeatMode),
            identifiers=("RepeatMode", "PlayMode"),
        ),
        about_media(
            key="title",
            name_en="Title",
            name_zh="标题",
            source=text_of(Attribute.MEDIA_TITLE),
            identifiers=("MediaTitle", "Title"),
        ),
        about_media(
            key="artist",
            name_en="Artist",
            name_zh="艺术家",
            source=text_of(Attribute.MEDIA_ARTIST),
            identifiers=("MediaArtist", "Artist"),
        ),
        about_media(
            key="album",
            name_en="Album",
            name_zh="专辑",
            source=text_of(Attribute.MEDIA_ALBUM_NAME),
            identifiers=("MediaAlbum", "Album"),
        ),
        about_media(
            key="app",
            name_en="App",
            name_zh="应用",
            source=text_of(Attribute.APP_NAME),
            identifiers=("AppName",),
        ),
        about_media(
            key="channel",
            name_en="Channel",
            name_zh="频道",
            source=text_of(Attribute.MEDIA_CHANNEL),
            alternative=True,
            identifiers=("MediaChannel", "Channel"),
        ),
        Aspect(
            key="duration",
            kind=Kind.NUMBER,
            name_en="Media duration",
            name_zh="媒体时长",
            source=number_of(Attribute.MEDIA_DURATION),
            supported=plays,
            range=fixed_range(SECONDS_RANGE),
            unit=seconds,
            alternative=True,
            identifiers=("MediaDuration",),
        ),
        Aspect(
            key=SEEK,
            kind=Kind.NUMBER,
            name_en="Position to play from",
            name_zh="播放位置",
            source=lambda _: None,
            writable=True,
            supported=has_feature(Feature.SEEK),
            range=fixed_range(SECONDS_RANGE),
            unit=seconds,
            momentary=True,
            alternative=True,
            identifiers=("PlayPosition", "Seek"),
        ),
        COMMANDS.aspect("PlayCommand", "MediaCommand", name_en="Playback command", name_zh="播放指令"),
    ),
    plan=_plan,
)
