"""Requests: a Poisson process whose rate has a daily profile and bursts."""

import math
import random

DAY = 86_400.0


class Arrivals:
    """Times of requests, in seconds, so that `per_day` of them are expected within a day."""

    def __init__(self, settings, seed):
        self.random = random.Random(f"arrivals {seed}")
        self.swing = settings["swing"]
        self.duration = settings["duration"]
        bursts = settings["bursts"]
        starts = sorted(self.random.uniform(0, self.duration) for _ in range(round(bursts["per_day"] * self.duration / DAY)))
        self.bursts = [(start, start + bursts["seconds"]) for start in starts]
        self.factor = bursts["factor"]
        # Bursts add to a day's requests: the rest is as much lower.
        added = len(self.bursts) * bursts["seconds"] * (self.factor - 1) / self.duration
        self.base = settings["per_day"] / DAY / (1 + added)

    def rate(self, time):
        """Requests a second at a time; the least at midnight, the most at noon."""
        level = self.base * (1 - self.swing * math.cos(2 * math.pi * time / DAY))
        return level * self.factor if any(start <= time < end for start, end in self.bursts) else level

    def __iter__(self):
        """By thinning: candidates at the highest rate, of which each stays with the share that its time has."""
        highest = self.base * (1 + self.swing) * (self.factor if self.bursts else 1)
        time = 0.0
        while True:
            time += self.random.expovariate(highest)
            if time >= self.duration:
                return
            if highest * self.random.random() <= self.rate(time):
                yield time
