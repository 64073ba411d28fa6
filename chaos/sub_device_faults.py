"""The faults of the sub-devices: what happens to them in the cloud, and to the devices of Home Assistant behind them."""

import asyncio
from collections.abc import Awaitable, Callable

from simulator import Direction, Simulator, WireMessage

from .home import Home
from .recorder import Recorder
from .schedule import Fault, Kind, some
from .sub_device_actions import CONNECTED_ELSEWHERE, NO_SESSION, SubDeviceActions
from .sub_devices import CHILDREN, OFFLINE_DELAY, Child

LOGIN = "/combine/batch_login"
LOGIN_TIMEOUT = 5.0
"""Seconds in which a gateway that was cut logs its sub-devices in again, unless something else is wrong."""
POLL_INTERVAL = 0.1

type _Step = Callable[[Child], Awaitable[None]]


class LoginWatch:
    """Calls `act` once with the next batch login that reaches the cloud, before it has an effect."""

    def __init__(self) -> None:
        """Call nothing at first."""
        self.act: Callable[[], None] | None = None

    def saw(self, message: WireMessage) -> None:
        """Take a message on the wire."""
        if self.act and message.direction is Direction.UP and message.topic.endswith(LOGIN):
            act, self.act = self.act, None
            act()


class SubDeviceFaults:
    """Injects the faults; each ends what it began, and a person does what only a person can."""

    def __init__(
        self, cloud: Simulator, house: Home, recorder: Recorder, actions: SubDeviceActions, logins: LoginWatch
    ) -> None:
        """`logins` sees the wire of the cloud."""
        self._cloud = cloud
        self._house = house
        self._recorder = recorder
        self._actions = actions
        self._logins = logins

    async def inject(self, fault: Fault) -> None:
        """Inject a fault of the sub-devices, and end it."""
        while self._house.undisturbed:  # noqa: ASYNC110
            await asyncio.sleep(POLL_INTERVAL)
        actions, children = self._actions, some(CHILDREN, fault, fault.number)
        match fault.kind:
            case Kind.SUB_KICK:
                for child in children:
                    actions.end_session(child.identity, CONNECTED_ELSEWHERE)
            case Kind.SUB_FORGET:  # with the code, or silently
                for number, child in enumerate(children):
                    actions.end_session(child.identity, NO_SESSION if number % 2 else 0)
            case Kind.SUB_DISABLE:
                await _for_a_while(
                    fault,
                    children,
                    lambda child: actions.disable(child.identity),
                    lambda child: actions.enable(child.identity),
                )
            case Kind.SUB_REMOVE:
                await _for_a_while(
                    fault,
                    children,
                    lambda child: actions.remove(child.identity),
                    lambda child: actions.ask_to_add(child.identity),
                )
            case Kind.SUB_DELETE:
                await _for_a_while(fault, children, self._delete, self._create)
            case Kind.SUB_STEAL:
                await _for_a_while(
                    fault,
                    children,
                    lambda child: actions.steal(child.identity),
                    lambda child: actions.give_back(child.identity),
                )
            case Kind.SUB_SECRET:
                await _for_a_while(fault, children[:1], self._spoil_secret, self._mend_secret)
                if fault.number % 2:  # otherwise it waits for the next try
                    self._house.retry_sub_devices()
            case Kind.SUB_CUT:
                for _ in range(min(fault.number, 2)):
                    await self._cut_in_a_login()
            case Kind.SUB_AWAY:
                await self._take_away(fault, children)

    async def _delete(self, child: Child) -> None:
        if device := self._actions.find(child.identity):
            self._recorder.excuse_unanswered([device])
        await self._actions.delete(child.identity)

    async def _create(self, child: Child) -> None:
        await self._actions.create(child.identity)
        self._recorder.watch(self._cloud.device(*child.identity))
        self._house.retry_sub_devices()

    async def _spoil_secret(self, child: Child) -> None:
        await self._actions.spoil_secret(child.identity)
        self._actions.end_session(child.identity, NO_SESSION)

    async def _mend_secret(self, child: Child) -> None:
        await self._actions.mend_secret(child.identity)

    async def _cut_in_a_login(self) -> None:
        """Cut the gateway, and once more when the cloud has carried out the next login, whose reply is lost."""
        done = asyncio.Event()

        def cut() -> None:
            if not self._house.undisturbed:
                self._actions.cut()
            done.set()

        def saw_login() -> None:
            self._cloud.faults.set(lose_replies=1)
            asyncio.get_running_loop().call_soon(cut)

        self._logins.act = saw_login
        self._actions.cut()
        try:
            async with asyncio.timeout(LOGIN_TIMEOUT):
                await done.wait()
        except TimeoutError:
            return
        finally:
            self._logins.act = None

    async def _take_away(self, fault: Fault, children: list[Child]) -> None:
        """Let devices of the house be unavailable, mostly for so long that their sub-devices are logged out."""
        names = [name for child in children for name in child.entities.values()]
        for name in names:
            self._house.take_away(name, remove=fault.number % 2 == 0)
        try:
            await asyncio.sleep(fault.seconds + OFFLINE_DELAY)
        finally:
            for name in names:
                self._house.bring_back(name)


async def _for_a_while(fault: Fault, children: list[Child], begin: _Step, end: _Step) -> None:
    try:
        for child in children:
            await begin(child)
        await asyncio.sleep(fault.seconds)
    finally:
        for child in children:
            await end(child)
