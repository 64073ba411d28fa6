"""The MQTT side: packets, signatures, and one connection for each device."""
