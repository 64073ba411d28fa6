"""One MQTT connection: how it is opened and kept alive, and how often it may be tried."""
