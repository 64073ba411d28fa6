"""Device management on the side of Home Assistant: the features of `alink/features.py`, each off until the user wants it."""
