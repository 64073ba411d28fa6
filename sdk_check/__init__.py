"""scripts/sdk-check: the vendor's own SDKs, unchanged, against the simulator.

The SDKs run in processes and environments of their own (`children/`), which report each feature that they have checked.
"""
