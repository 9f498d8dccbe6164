"""The simulation, against theory: Erlang's formula, Little's law, and what crashes must cost."""

import copy
import json
import math
import unittest
from collections import OrderedDict

from simulate.arrivals import Arrivals
from simulate.fleet import Fleet, Task
from simulate.page import page, steps
from simulate.page import bench_bars, bench_table
from simulate.run import HERE, figures, percentile, programs, run, table
from simulate.scaling import Scaler

DOCUMENT = json.loads((HERE / "scenarios.json").read_text())
SAMPLES = json.loads((HERE / "samples.json").read_text())
NEVER = {"every": 0, "seconds": 0, "restart": 60}
CALM = {
    **DOCUMENT["common"], "poll": 0, "failures": 0, "crash": NEVER, "silence": NEVER, "database": {"per_day": 0, "seconds": 0},
    "lease": {"seconds": 1e9, "beat": 1e8}, "deadline": 1e9,
}


def steady(rate, workers, duration, seconds, **changes):
    """A run at a steady rate; `seconds` draws the time of a proof, and keys cost nothing."""
    arrivals = {"per_day": rate * 86_400, "duration": duration, "swing": 0, "bursts": {"per_day": 0, "seconds": 1, "factor": 1}}
    program = {"share": 1, "seconds": seconds, "load_seconds": lambda random: 0.0, "key_bytes": 0}
    fleet = Fleet({**CALM, "arrivals": arrivals, "workers": workers, **changes}, [program])
    return fleet, fleet.run()


def erlang_c(workers, load):
    """The chance to wait, of M/M/c."""
    last = load**workers / math.factorial(workers) * workers / (workers - load)
    return last / (sum(load**count / math.factorial(count) for count in range(workers)) + last)


class Theory(unittest.TestCase):
    def within(self, found, expected, share):
        self.assertLess(abs(found / expected - 1), share, f"{found} where theory says {expected}")

    def test_waits_are_those_of_erlang(self):
        for workers, load in ((1, 0.6), (8, 6.0), (30, 26.0)):
            fleet, outcome = steady(load, workers, 120_000 / load, lambda random: random.expovariate(1.0))
            chance = erlang_c(workers, load)
            mean = sum(outcome.waits) / len(outcome.waits)
            self.within(mean, chance / (workers - load), 0.05)
            self.within(sum(wait > 1e-9 for wait in outcome.waits) / len(outcome.waits), chance, 0.05)
            self.within(outcome.busy / (workers * fleet.now), load / workers, 0.02)
            # Little's law, of those who wait.
            self.within(outcome.queue_area / fleet.now, outcome.arrived / fleet.now * mean, 0.001)

    def test_steady_times_wait_half_as_long(self):
        _, outcome = steady(0.7, 1, 150_000, lambda random: 1.0)
        self.within(sum(outcome.waits) / len(outcome.waits), 0.7 / (2 * (1 - 0.7)), 0.05)

    def test_a_crash_costs_a_lease_for_each_task_that_is_hit(self):
        crash = {"every": 2000.0, "restart": 30.0}
        _, outcome = steady(0.5, 20, 100_000, lambda random: 20.0, crash=crash, lease={"seconds": 60, "beat": 20}, attempts=99)
        self.within(outcome.lost, outcome.busy / 2000.0, 0.08)
        self.assertEqual(len(outcome.latencies), outcome.arrived)
        self.assertEqual(outcome.dead, 0)

    def test_a_lease_is_lost_only_to_a_silence_that_outlasts_it(self):
        away = {"per_day": 40, "seconds": 50}
        _, short = steady(0.5, 30, 86_400, lambda random: 40.0, database=away, lease={"seconds": 90, "beat": 20})
        self.assertEqual(short.lost, 0)
        _, long = steady(0.5, 30, 86_400, lambda random: 40.0, database={**away, "seconds": 100}, lease={"seconds": 90, "beat": 20})
        self.assertGreater(long.lost, 40)
        self.assertEqual(len(long.latencies) + long.dead, long.arrived)

    def test_attempts_end(self):
        _, outcome = steady(0.1, 2, 20_000, lambda random: 1.0, failures=0.5, attempts=2)
        self.within(outcome.dead / outcome.arrived, 0.25, 0.1)
        self.assertEqual(len(outcome.latencies) + outcome.dead, outcome.arrived)

    def test_what_is_due_comes_first_then_what_is_warm_or_has_waited(self):
        fleet, _ = steady(1.0, 1, 10, lambda random: 1.0, deadline=3600)
        worker = fleet.workers[0]
        fleet.now = 10_000.0

        def chosen(**ages):
            fleet.ready, fleet.waiting = {}, 0
            fleet.idle = []
            for name, age in ages.items():
                fleet.enqueue(Task(fleet.now - age, int(name[1:])))
            return fleet.best(worker).program

        worker.warm = OrderedDict({1: None})
        self.assertEqual(chosen(p0=5, p1=1), 1, "warm, though younger")
        self.assertEqual(chosen(p0=11, p1=1), 0, "has waited for ten seconds")
        self.assertEqual(chosen(p0=5, p2=6), 2, "the older of two that are cold")
        self.assertEqual(chosen(p0=2990, p1=2980), 0)
        self.assertEqual(chosen(p0=3001, p1=3002, p2=3100), 2, "due within ten minutes")

    def test_keys_are_loaded_once_where_there_is_room(self):
        arrivals = {"per_day": 0.9 * 86_400, "duration": 20_000, "swing": 0, "bursts": {"per_day": 0, "seconds": 1, "factor": 1}}
        kind = {"share": 1, "seconds": lambda random: 1.0, "load_seconds": lambda random: 1.0, "key_bytes": 0}
        cold = {}
        for warm in (1, 2):
            settings = {**CALM, "arrivals": arrivals, "workers": 2, "keys": {"warm": warm, "bytes_per_second": 1e9}}
            cold[warm] = Fleet(settings, [dict(kind), dict(kind)]).run().cold
        self.assertEqual(cold[2], 4)
        self.assertGreater(cold[1], 1000)


class Requests(unittest.TestCase):
    def test_as_many_as_expected_at_their_times(self):
        settings = {"per_day": 100_000, "duration": 86_400, "swing": 0.5, "bursts": {"per_day": 4, "seconds": 600, "factor": 3}}
        arrivals = Arrivals(settings, 1)
        times = list(arrivals)
        self.assertLess(abs(len(times) / 100_000 - 1), 0.03)
        night = sum(time < 3600 or time > 82_800 for time in times)
        noon = sum(39_600 < time < 46_800 for time in times)
        self.assertGreater(noon, 2 * night)
        start, end = arrivals.bursts[0]
        inside = sum(start <= time < end for time in times) / (end - start)
        self.assertLess(abs(inside / arrivals.rate((start + end) / 2) - 1), 0.2)


class Scaling(unittest.TestCase):
    SETTINGS = next(scenario["scaling"] for scenario in DOCUMENT["scenarios"] if "scaling" in scenario)

    def test_its_numbers_are_the_charts(self):
        from .chart import one, render, values

        spec = one(render(values("example")), "ScaledObject", "fleet-worker")["spec"]
        length, age = (int(trigger["metadata"]["targetQueryValue"]) for trigger in spec["triggers"])
        behavior = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
        self.assertEqual((length, age), (self.SETTINGS["tasks_per_worker"], self.SETTINGS["age_seconds"]))
        self.assertEqual(spec["pollingInterval"], self.SETTINGS["every"])
        self.assertEqual(behavior["scaleDown"]["stabilizationWindowSeconds"], self.SETTINGS["window_seconds"])
        self.assertEqual([(policy["type"], policy["value"]) for policy in behavior["scaleUp"]["policies"]], [("Percent", 100), ("Pods", 4)])
        self.assertEqual([(policy["type"], policy["value"]) for policy in behavior["scaleDown"]["policies"]], [("Percent", 25)])

    def test_it_grows_at_once_and_shrinks_slowly(self):
        scaler = Scaler(self.SETTINGS)
        self.assertEqual(scaler.wanted(0, 10, 400, 0), 20, "twice as many within a minute")
        self.assertEqual(scaler.wanted(15, 20, 400, 0), 20)
        self.assertEqual(scaler.wanted(75, 20, 400, 0), 40)
        self.assertEqual(scaler.wanted(90, 40, 0, 0), 40, "more were wanted just before")
        self.assertEqual(scaler.wanted(500, 40, 0, 0), 30)
        self.assertEqual(Scaler(self.SETTINGS).wanted(0, 40, 0, 120), 80, "twice as old as it should be")
        self.assertEqual(Scaler(self.SETTINGS).wanted(0, 100, 9999, 999), 100)


class Figures(unittest.TestCase):
    def small(self):
        document = copy.deepcopy(DOCUMENT)
        document["common"]["arrivals"].update(per_day=400_000, duration=3600)
        document["common"]["arrivals"]["bursts"]["per_day"] = 24
        return document

    def test_a_seed_gives_the_same_figures(self):
        first, second = (run(self.small(), SAMPLES, seed=7) for _ in range(2))
        self.assertEqual(first, second)
        self.assertNotEqual(first, run(self.small(), SAMPLES, seed=8))
        for result in first:
            found = result["figures"]
            self.assertEqual(found["done"] + found["dead"], found["requests"], result["name"])
        html = page(first, SAMPLES["machine"])
        self.assertEqual(html.count("<svg"), 4 * len(first))
        self.assertNotIn("http", html, "the page needs nothing from elsewhere")

    def test_percentiles(self):
        values = list(range(1, 101))
        self.assertEqual((percentile(values, 0.5), percentile(values, 0.99), percentile([3], 0.99)), (50, 99, 3))

    def test_scales_are_round_and_reach_the_top(self):
        for most in (0.3, 1, 7, 99, 100, 4321):
            scale = steps(most)
            self.assertTrue(3 <= len(scale) <= 8 and scale[-1] >= most, (most, scale))

    def test_samples_were_measured_for_every_model(self):
        for scenario in DOCUMENT["scenarios"]:
            self.assertEqual(sum(share for share, _ in scenario["models"].values()), 1, scenario["name"])
            self.assertTrue(programs(scenario["models"], SAMPLES))
        for name, measured in SAMPLES["models"].items():
            self.assertGreaterEqual(len(measured["seconds"]), 30, name)

    def test_the_book_has_the_figures_of_the_last_run(self):
        results = json.loads((HERE / "results.json").read_text())
        self.assertEqual([result["name"] for result in results], [scenario["name"] for scenario in DOCUMENT["scenarios"]])
        book = (HERE.parents[2] / "docs/book/src/fleet.md").read_text()
        self.assertIn(table(results), book, "`make fleet-figures` writes it")
        rows = json.loads((HERE / "bench.json").read_text())["rows"]
        self.assertIn(bench_table(rows) + "\n" + bench_bars(rows), book, "`make fleet-figures` writes it")


if __name__ == "__main__":
    unittest.main()
