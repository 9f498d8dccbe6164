"""Checks of everything around the fleet's binary: `make fleet-check`."""
