"""The mapping between Home Assistant entities and the properties of a thing model.

It knows the states and actions of Home Assistant, and nothing of MQTT. Read `aspect.py` first, then one file of `domains/`,
then `convert.py`.
"""
