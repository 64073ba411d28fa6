"""Home Assistant → cloud: properties and events are posted, kept through outages, and confirmed."""
