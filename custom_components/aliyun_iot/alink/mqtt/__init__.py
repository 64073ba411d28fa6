"""One MQTT connection: opening it, keeping it alive, and how often it may be tried."""
