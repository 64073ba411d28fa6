"""What people see, tested with a real browser, a real `hass` process and the simulator."""
