"""An account in the simulated cloud, which verifies signatures."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

import aiohttp
import pytest
from yarl import URL

from custom_components.aliyun_iot.account.client import Account
from custom_components.aliyun_iot.account.signing import AccessKey as Key
from simulator import AccessKey, Simulator

KEY_ID, KEY_SECRET = "LTAI5tHomeAssistant", "s3cret-of-the-access-key-000000"

type Connect = Callable[..., Account]


@pytest.fixture
async def cloud(socket_enabled: None) -> AsyncGenerator[Simulator]:
    """Run the cloud; it accepts what the console accepts, and only signed requests."""
    async with Simulator(
        strict_model=True, connects_per_minute=None, access_key=AccessKey(KEY_ID, KEY_SECRET)
    ) as simulator:
        yield simulator


@pytest.fixture
async def connect(cloud: Simulator) -> AsyncGenerator[Connect]:
    """Return a function that returns the account, with something that is called with the number of each request."""
    async with aiohttp.ClientSession() as session:

        def make(
            after: Callable[[str], Awaitable[None]] | None = None, key_id: str = KEY_ID, secret: str = KEY_SECRET
        ) -> Account:
            async def send(query: str, headers: Mapping[str, str]) -> bytes:
                url = URL(f"http://127.0.0.1:{cloud.api_port}/?{query}", encoded=True)
                async with session.post(url, headers=headers) as response:
                    body = await response.read()
                if after:
                    await after(headers["x-acs-action"])
                return body

            return Account(send, Key(key_id, secret), f"127.0.0.1:{cloud.api_port}")

        yield make


@pytest.fixture
def account(connect: Connect) -> Account:
    """Return the account."""
    return connect()
