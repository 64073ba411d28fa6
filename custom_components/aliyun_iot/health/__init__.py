"""What may be wrong with a device and its connection, and how the user hears of it."""
