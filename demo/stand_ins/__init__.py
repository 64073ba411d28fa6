"""Modules that Home Assistant's voice assistant imports, for where they aren't installed.

The real ones have no wheels for Python 3.14, so a machine without a compiler can't have them. Without them Home Assistant
can't list its actions, and without that list its web interface doesn't load. Nothing here is ever called: the house has no
microphone.
"""
