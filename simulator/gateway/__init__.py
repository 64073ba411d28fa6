"""Gateways: topology, registration and sessions of sub-devices (docs/protocol.md §10)."""
