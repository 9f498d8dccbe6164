"""A fleet as discrete events: `python3 -m simulate` in deploy/fleet, or `make fleet-figures`."""
