"""KEDA's two triggers and the horizontal autoscaler's rules, with the numbers of chart/values.yaml and templates/scaling.yaml."""

import math
from collections import deque


class Scaler:
    """How many workers there should be."""

    def __init__(self, settings):
        self.least, self.most = settings["least"], settings["most"]
        self.per_worker, self.age = settings["tasks_per_worker"], settings["age_seconds"]
        self.every, self.start, self.window = settings["every"], settings["start_seconds"], settings["window_seconds"]
        # Numbers that were there, and that were wanted, with their times.
        self.there = deque()
        self.wants = deque()

    def wanted(self, now, present, tasks, oldest):
        """The number of workers after a look, of which there are some now."""
        by_length = math.ceil(tasks / self.per_worker)
        # A value within a tenth of its target changes nothing.
        ratio = oldest / self.age
        by_age = present if abs(ratio - 1) <= 0.1 else math.ceil(present * ratio)
        want = min(max(by_length, by_age, self.least), self.most)
        self.there.append((now, present))
        self.wants.append((now, want))
        while self.there[0][0] <= now - 60.0 and len(self.there) > 1:
            self.there.popleft()
        while self.wants[0][0] <= now - self.window and len(self.wants) > 1:
            self.wants.popleft()
        before = [count for _, count in self.there]
        if want > present:
            # Within a minute twice as many, or four more.
            return min(want, max(2 * min(before), min(before) + 4, present))
        # Down to the most that was wanted within the window, and by a quarter within a minute.
        highest = max(count for _, count in self.wants)
        return min(present, max(highest, math.floor(0.75 * max(before)), self.least))
