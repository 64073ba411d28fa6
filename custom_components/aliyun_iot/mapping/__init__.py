"""What stands for what: Home Assistant entities on one side, properties of a thing model on the other.

Knows states and actions, knows nothing of MQTT. Read `aspect.py` first, then one file of `domains/`, then `convert.py`.
"""
