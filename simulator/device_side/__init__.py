"""What a device says: one module for each chapter of the protocol. Their topics stand in one table, simulator/routes.py."""
