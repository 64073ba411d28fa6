"""Substitutes for modules that Home Assistant's voice assistant imports, if those aren't installed.

The real modules have no wheels for Python 3.14, so that a machine without a compiler can't install them. Without them Home
Assistant can't list its actions, and its web interface needs that list. The substitutes are never called.
"""
