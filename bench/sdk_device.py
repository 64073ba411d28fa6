"""A device that uses the vendor's Python SDK, which answers every property set automatically.

It runs in the SDK's environment (see `sdk.py`): `sdk_device.py PORT PRODUCT_KEY DEVICE_NAME SECRET TSL_FILE`. It stays
connected until its stdin ends.
"""

import os
import sys

# Only available in the environment of the SDK.
from linkkit import linkkit  # type: ignore[import-not-found]


def main() -> None:
    """Connect over plain TCP, as described in the SDK's manual."""
    port, product_key, device_name, secret, thing_model = sys.argv[1:]
    kit = linkkit.LinkKit(host_name="127.0.0.1", product_key=product_key, device_name=device_name, device_secret=secret)
    kit.config_mqtt(port=int(port), secure="")
    kit.thing_setup(thing_model)
    kit.on_thing_prop_changed = lambda _params, _user_data: None
    kit.connect_async()
    sys.stdin.read()
    # Don't wait for the threads of the SDK.
    os._exit(0)


if __name__ == "__main__":
    main()
