"""Device management on the side of Home Assistant: the chapters of `alink/chapters.py`, each off until the user wants it."""
