"""Runs of scenarios on measured times, and what they come to."""

import json
import pathlib

from .fleet import Fleet

HERE = pathlib.Path(__file__).resolve().parent


def programs(models, samples):
    """The programs of a scenario: each kind's measured times, drawn with equal chance."""
    found = []
    for name, (share, count) in models.items():
        measured = samples["models"][name]
        for _ in range(count):
            found.append({
                "share": share / count,
                "key_bytes": measured["key_bytes"],
                "seconds": lambda random, times=measured["seconds"]: times[int(random.random() * len(times))],
                "load_seconds": lambda random, times=measured["load_seconds"]: times[int(random.random() * len(times))],
            })
    return found


def percentile(ordered, share):
    """The least value that so large a share does not exceed."""
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * len(ordered) * 1000) // 1000) - 1))]


def figures(outcome):
    """What a run came to, rounded to what it can say."""
    latencies, waits = sorted(outcome.latencies), sorted(outcome.waits)
    return {
        "requests": outcome.arrived,
        "done": len(latencies),
        "dead": outcome.dead,
        "lost_leases": outcome.lost,
        "failures": outcome.failures,
        "cold_starts": outcome.cold,
        "latency_p50": round(percentile(latencies, 0.5), 2),
        "latency_p99": round(percentile(latencies, 0.99), 2),
        "latency_max": round(latencies[-1], 1),
        "wait_p50": round(percentile(waits, 0.5), 2),
        "wait_p99": round(percentile(waits, 0.99), 2),
        "longest_queue": outcome.longest,
        "utilisation": round(outcome.busy / outcome.present, 4),
        "wasted": round(1 - outcome.useful / outcome.busy, 5),
        "worker_hours": round(outcome.present / 3600, 1),
    }


def settings(document, scenario):
    return {**document["common"], **scenario}


def run(document, samples, seed=1, say=lambda text: None):
    """Figures and minutes of each scenario."""
    results = []
    for scenario in document["scenarios"]:
        outcome = Fleet(settings(document, scenario), programs(scenario["models"], samples), seed).run()
        found = figures(outcome)
        say(f"{scenario['name']}: {json.dumps(found)}")
        results.append({"name": scenario["name"], "title": scenario["title"], "figures": found, "series": outcome.series})
    return results


HEAD = (
    "scenario", "workers, mean", "busy", "p50", "p99", "longest", "longest queue", "lost leases", "cold keys", "dead", "worker seconds each")


def table(results):
    """The figures as the book has them."""
    titles = "".join(f"- `{result['name']}`: {result['title']}\n" for result in results)
    lines = [HEAD, ("---", *["---:"] * (len(HEAD) - 1))]
    for result in results:
        found = result["figures"]
        seconds = 3600 * found["worker_hours"]
        lines.append((
            f"`{result['name']}`", f"{seconds / 86_400:.0f}", f"{100 * found['utilisation']:.1f} %",
            f"{found['latency_p50']} s", f"{found['latency_p99']} s", f"{found['latency_max']} s", f"{found['longest_queue']:,}",
            f"{found['lost_leases']:,}", f"{found['cold_starts']:,}", f"{found['dead']}", f"{seconds / found['done']:.2f}"))
    return titles + "\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)
