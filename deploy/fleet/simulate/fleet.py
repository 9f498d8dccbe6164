"""The fleet: a queue as crates/zkml-service/src/queue has it, workers that lease from it, and what goes wrong.

Times are seconds. A worker's service is known when it begins: when it ends, whether its lease is lost before, and when the worker is free
again. So there is one event for each end, and none has to be taken back.
"""

import heapq
import random
from array import array
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from .arrivals import Arrivals
from .scaling import Scaler

# As the queue's lease orders: what is due within ten minutes, then what is warm or has waited for ten seconds.
DUE = 600.0
PATIENCE = 10.0


@dataclass
class Task:
    """A proof that is wanted."""

    made: float
    program: int
    attempts: int = 0


@dataclass
class Worker:
    """A process that proves one task at a time."""

    number: int
    state: str = "idle"
    # Programs whose keys are mapped, the last used one last; those on its disk.
    warm: OrderedDict = field(default_factory=OrderedDict)
    disk: set = field(default_factory=set)
    crash: float = float("inf")
    silence: tuple = (float("inf"), float("inf"))


@dataclass
class Outcome:
    """What a run came to."""

    latencies: array = field(default_factory=lambda: array("d"))
    waits: array = field(default_factory=lambda: array("d"))
    arrived: int = 0
    dead: int = 0
    lost: int = 0
    failures: int = 0
    cold: int = 0
    busy: float = 0.0
    useful: float = 0.0
    present: float = 0.0
    queue_area: float = 0.0
    longest: int = 0
    # Each minute: its end, the most tasks that waited in it and the longest that one did, busy workers, workers, requests a second.
    series: list = field(default_factory=list)


class Fleet:
    """A run of a scenario."""

    def __init__(self, scenario, programs, seed=1):
        """`programs` has, for each, `seconds` and `load_seconds` (functions of a random number generator) and `key_bytes`."""
        self.s = scenario
        self.programs = programs
        self.random = random.Random(f"fleet {seed}")
        self.arrivals = Arrivals(scenario["arrivals"], seed)
        self.end = scenario["arrivals"]["duration"]
        self.events = []
        self.order = 0
        self.ready = {}
        self.waiting = 0
        self.leased = 0
        self.now = 0.0
        # Most tasks and longest wait since the last sample.
        self.peak, self.slowest = 0, 0.0
        self.outcome = Outcome()
        self.scaler = Scaler(scenario["scaling"]) if scenario.get("scaling") else None
        count = self.scaler.least if self.scaler else scenario["workers"]
        self.workers = []
        self.idle = []
        for _ in range(count):
            self.join()
        # The database is away for everybody at the same times: once within each of so many equal parts of the day.
        away = scenario["database"]
        times = round(away["per_day"] * self.end / 86_400)
        part = self.end / max(times, 1)
        starts = [part * index + self.random.uniform(0, max(part - away["seconds"], 0)) for index in range(times)]
        self.away = [(start, start + away["seconds"]) for start in starts]

    # Events ----------------------------------------------------------------------------------------------------------

    def at(self, time, action, *arguments):
        self.order += 1
        heapq.heappush(self.events, (time, self.order, action, arguments))

    def run(self):
        """Until the last task is done or dead."""
        source = iter(self.arrivals)
        weights = [program["share"] for program in self.programs]
        numbers = range(len(self.programs))
        drawn = iter(())
        following = next(source, None)
        self.at(0.0, self.sample)
        if self.scaler:
            self.at(0.0, self.scale)
        while following is not None or self.events:
            if following is not None and (not self.events or following <= self.events[0][0]):
                self.advance(following)
                program = next(drawn, None)
                if program is None:
                    drawn = iter(self.random.choices(numbers, weights, k=1000))
                    program = next(drawn)
                self.outcome.arrived += 1
                self.enqueue(Task(self.now, program))
                following = next(source, None)
                continue
            time, _, action, arguments = heapq.heappop(self.events)
            self.advance(time)
            action(*arguments)
            if following is None and self.waiting == 0 and self.leased == 0:
                break
        return self.outcome

    def advance(self, time):
        self.outcome.queue_area += self.waiting * (time - self.now)
        self.now = time

    # The queue -------------------------------------------------------------------------------------------------------

    def enqueue(self, task, again=False):
        tasks = self.ready.setdefault(task.program, deque())
        # What comes back is older than what waits.
        (tasks.appendleft if again else tasks.append)(task)
        self.waiting += 1
        self.outcome.longest = max(self.outcome.longest, self.waiting)
        self.peak = max(self.peak, self.waiting)
        self.wake()

    def wake(self):
        """One of the idle workers looks next: the first of those who look once in `poll` seconds."""
        if self.idle:
            place = self.random.randrange(len(self.idle))
            self.idle[place], self.idle[-1] = self.idle[-1], self.idle[place]
            worker = self.idle.pop()
            poll = self.s["poll"]
            delay = poll * (1 - self.random.random() ** (1 / (len(self.idle) + 1))) if poll else 0.0
            worker.state = "looking"
            self.at(self.now + delay, self.take, worker)

    def best(self, worker):
        """The task that the queue would lease to a worker; it leaves the queue."""
        chosen, rank = None, None
        latest = self.now - (self.s["deadline"] - DUE)
        patient = self.now - PATIENCE
        for program, tasks in self.ready.items():
            made = tasks[0].made
            standing = (made > latest, not (program in worker.warm or made <= patient), made)
            if rank is None or standing < rank:
                chosen, rank = program, standing
        if chosen is None:
            return None
        tasks = self.ready[chosen]
        task = tasks.popleft()
        if not tasks:
            del self.ready[chosen]
        self.waiting -= 1
        return task

    # Workers ---------------------------------------------------------------------------------------------------------

    def join(self):
        worker = Worker(len(self.workers))
        self.workers.append(worker)
        self.renew(worker)
        self.rest(worker)

    def renew(self, worker):
        """A process that has just started: no key is mapped, and what it has of bad luck is still to come."""
        worker.warm.clear()
        crash, silence = self.s["crash"], self.s["silence"]
        worker.crash = self.now + self.random.expovariate(1 / crash["every"]) if crash["every"] else float("inf")
        self.next_silence(worker, self.now, silence)

    def next_silence(self, worker, since, silence):
        if silence["every"]:
            start = since + self.random.expovariate(1 / silence["every"])
            worker.silence = (start, start + self.random.expovariate(1 / silence["seconds"]))

    def rest(self, worker):
        """Free: it looks at once if something waits."""
        if worker.state == "leaving":
            worker.state = "gone"
            return
        if self.waiting:
            worker.state = "looking"
            self.take(worker)
        else:
            worker.state = "idle"
            self.idle.append(worker)

    def unreachable(self, worker, time):
        """Until when a worker does not reach the queue, if it does not."""
        for start, end in self.away:
            if start <= time < end:
                return end
        silence = self.s["silence"]
        while silence["every"] and worker.silence[1] <= time:
            self.next_silence(worker, worker.silence[1], silence)
        return worker.silence[1] if worker.silence[0] <= time else None

    def take(self, worker):
        """A worker asks for a task."""
        if worker.state == "leaving":
            worker.state = "gone"
            if self.waiting:
                self.wake()
            return
        back = self.unreachable(worker, self.now)
        if worker.crash <= self.now:
            # It ended while it had nothing to do.
            back = max(back or 0.0, worker.crash + self.s["crash"]["restart"])
            self.renew(worker)
        if back is not None and back > self.now:
            self.at(back, self.take, worker)
            if self.waiting:
                self.wake()
            return
        task = self.best(worker)
        if task is None:
            self.rest(worker)
            return
        self.lease(worker, task)

    def lease(self, worker, task):
        worker.state = "busy"
        self.leased += 1
        task.attempts += 1
        self.outcome.waits.append(self.now - task.made)
        self.slowest = max(self.slowest, self.now - task.made)
        start = self.now
        finish = start + self.load(worker, task.program) + self.programs[task.program]["seconds"](self.random)
        done, until, free = self.story(worker, start, finish)
        self.outcome.busy += min(free, worker.crash) - start
        crashed = worker.crash < free
        if done is not None:
            self.outcome.useful += finish - start
            self.at(done, self.finished, worker, task)
        else:
            self.at(until, self.tidy, task)
            self.at(free, self.freed, worker, crashed)

    def load(self, worker, program):
        """Seconds until the key of a program is mapped."""
        if program in worker.warm:
            worker.warm.move_to_end(program)
            return 0.0
        self.outcome.cold += 1
        settings = self.programs[program]
        seconds = settings["load_seconds"](self.random)
        if program not in worker.disk:
            worker.disk.add(program)
            seconds += settings["key_bytes"] / self.s["keys"]["bytes_per_second"]
        worker.warm[program] = None
        if len(worker.warm) > self.s["keys"]["warm"]:
            worker.warm.popitem(last=False)
        return seconds

    def story(self, worker, start, finish):
        """Time at which the result is taken, or none; end of the lease; time at which the worker is free."""
        length, pause = self.s["lease"]["seconds"], self.s["lease"]["beat"]
        until, beat = start + length, start + pause
        end = min(finish, worker.crash)
        while beat < end and beat <= until:
            if self.unreachable(worker, beat) is None:
                until = beat + length
            beat += pause
        if worker.crash < finish:
            return None, until, worker.crash + self.s["crash"]["restart"]
        if finish > until:
            return None, until, finish
        # It says so until it is heard.
        heard = finish
        while (back := self.unreachable(worker, heard)) is not None:
            heard = back
        return (heard, until, heard) if heard <= until else (None, until, heard)

    def finished(self, worker, task):
        self.leased -= 1
        if self.random.random() < self.s["failures"]:
            self.outcome.failures += 1
            self.again(task)
        else:
            self.outcome.latencies.append(self.now - task.made)
        self.rest(worker)

    def freed(self, worker, crashed):
        if crashed:
            self.renew(worker)
        self.rest(worker)

    def tidy(self, task):
        self.leased -= 1
        self.outcome.lost += 1
        self.again(task)

    def again(self, task):
        """Back into the queue after a pause, as long as attempts are left."""
        if task.attempts >= self.s["attempts"]:
            self.outcome.dead += 1
            return
        self.leased += 1
        self.at(self.now + min(task.attempts**2, 900), self.back, task)

    def back(self, task):
        self.leased -= 1
        self.enqueue(task, again=True)

    # Looking at it ---------------------------------------------------------------------------------------------------

    def oldest(self):
        return max((self.now - tasks[0].made for tasks in self.ready.values()), default=0.0)

    def present(self):
        return sum(worker.state != "gone" for worker in self.workers)

    def sample(self):
        working = sum(worker.state in ("busy", "leaving") for worker in self.workers)
        present = self.present()
        self.outcome.present += 60.0 * present
        age = max(self.slowest, self.oldest())
        self.outcome.series.append((self.now, self.peak, age, working, present, self.arrivals.rate(self.now)))
        self.peak, self.slowest = self.waiting, 0.0
        if self.now + 60.0 <= self.end or self.waiting:
            self.at(self.now + 60.0, self.sample)

    def scale(self):
        """What KEDA and the autoscaler do, as the chart sets them."""
        present = [worker for worker in self.workers if worker.state not in ("gone", "leaving")]
        wanted = self.scaler.wanted(self.now, len(present), self.waiting + self.leased, self.oldest())
        for _ in range(wanted - len(present)):
            worker = Worker(len(self.workers), state="starting")
            self.workers.append(worker)
            self.at(self.now + self.scaler.start, self.started, worker)
        for worker in present[wanted:]:
            if worker.state == "busy":
                worker.state = "leaving"
            elif worker in self.idle:
                self.idle.remove(worker)
                worker.state = "gone"
            elif worker.state == "looking":
                worker.state = "leaving"
            else:
                worker.state = "gone"
        if self.now < self.end or self.waiting:
            self.at(self.now + self.scaler.every, self.scale)

    def started(self, worker):
        if worker.state == "starting":
            self.renew(worker)
            self.rest(worker)
