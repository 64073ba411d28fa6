"""Constants of the integration."""

from typing import Final

DOMAIN: Final = "aliyun_iot"

NAME: Final = "阿里云物联网平台 Alibaba Cloud IoT"
"""The name of the product wherever people read it. Home Assistant's search weighs the beginning of a name most."""

ENTRY_VERSION: Final = 1
ENTRY_MINOR_VERSION: Final = 1
"""Versions of what is stored. The minor one grows with what an older version can leave alone, the other with what it cannot."""

# entry.data: the device triple and how to connect
CONF_PRODUCT_KEY: Final = "product_key"
CONF_DEVICE_NAME: Final = "device_name"
CONF_DEVICE_SECRET: Final = "device_secret"
CONF_PRODUCT_SECRET: Final = "product_secret"
CONF_ENDPOINT: Final = "endpoint"
CONF_TRANSPORT: Final = "transport"
CONF_PORT: Final = "port"
CONF_CA: Final = "ca"
CONF_HOST_KIND: Final = "host_kind"
CONF_TEXT_EVENTS: Final = "text_events"

# entry.options: settings
CONF_THING_MODEL: Final = "thing_model"
"""The field of the pages for a thing model."""
CONF_THING_MODELS: Final = "thing_models"
"""The stored thing models by ProductKey, which several devices may share."""
CONF_KEEP_ALIVE: Final = "keep_alive"
CONF_WINDOW: Final = "window"
CONF_UPLINK_RATE: Final = "uplink_rate"
CONF_DESIRED_HOURS: Final = "desired_hours"
CONF_COMMAND_CONDITION: Final = "command_condition"
CONF_COMMANDS_PER_MINUTE: Final = "commands_per_minute"
CONF_DRY_RUN: Final = "dry_run"
CONF_MONTHLY_QUOTA: Final = "monthly_quota"
CONF_OFFLINE_DELAY: Final = "offline_delay"
CONF_SYNC_TAGS: Final = "sync_tags"
CONF_CONFIG_MAPPING: Final = "config_mapping"
CONF_CLOUD_LOG: Final = "cloud_log"
CONF_UPGRADES: Final = "upgrades"
CONF_UPGRADE_SCRIPT: Final = "upgrade_script"

DEFAULT_KEEP_ALIVE: Final = 60
DEFAULT_WINDOW: Final = 0.25
DEFAULT_UPLINK_RATE: Final = 9
"""Messages per second. The platform silently drops QoS 1 messages beyond ten per second (docs/protocol.md §14)."""
DEFAULT_COMMANDS_PER_MINUTE: Final = 600
"""Ten a second are more than people and their rules send, and less than the platform lets a device answer."""
DEFAULT_DESIRED_HOURS: Final = 24
"""Hours after which a desired value is stale and is no longer carried out."""
DEFAULT_OFFLINE_DELAY: Final = 60
"""Seconds; a restart of an integration makes its devices unavailable for less."""

# types of subentries
SUBENTRY_EXPOSURE: Final = "exposure"
SUBENTRY_SERVICE: Final = "service"
SUBENTRY_RULE: Final = "rule"
SUBENTRY_EVENT: Final = "event"
SUBENTRY_SUB_DEVICE: Final = "sub_device"
CONF_BINDINGS: Final = "bindings"

OWN: Final = ""
"""The owner of what belongs to the entry's own device. That of what belongs to a sub-device is the id of its subentry."""

EVENT_COMMAND: Final = "aliyun_iot_command"
EVENT_COMMAND_FAILED: Final = "aliyun_iot_command_failed"
EVENT_DRY_RUN: Final = "aliyun_iot_dry_run"
EVENT_RAW: Final = "aliyun_iot_raw"
