"""Runs all scenarios: figures into results.json and the book, plots into a page; and what `make fleet-bench` measured into the book. `python3 -m simulate [--page FILE]`."""

import argparse
import json
import pathlib
import sys
import time

from .page import bench_bars, bench_table, page
from .run import HERE, run, table

BOOK = HERE.parents[2] / "docs/book/src/fleet.md"


def put(text, name, figures):
    """A text with other figures between the marks of that name."""
    begin, end = f"<!-- figures: {name} begin -->\n", f"<!-- figures: {name} end -->"
    before, rest = text.split(begin)
    return before + begin + figures + end + rest.split(end, 1)[1]


def main():
    parser = argparse.ArgumentParser(prog="python3 -m simulate", description=__doc__)
    parser.add_argument("--page", type=pathlib.Path, default=HERE.parents[2] / "target/fleet/simulation.html")
    options = parser.parse_args()
    document = json.loads((HERE / "scenarios.json").read_text())
    samples = json.loads((HERE / "samples.json").read_text())
    started = time.monotonic()
    results = run(document, samples, say=lambda text: print(f"{time.monotonic() - started:6.1f} s  {text}", file=sys.stderr))
    options.page.parent.mkdir(parents=True, exist_ok=True)
    options.page.write_text(page(results, samples["machine"]))
    kept = [{key: result[key] for key in ("name", "title", "figures")} for result in results]
    (HERE / "results.json").write_text(json.dumps(kept, indent=1) + "\n")
    rows = json.loads((HERE / "bench.json").read_text())["rows"]
    text = put(BOOK.read_text(), "fleet simulation", table(kept))
    BOOK.write_text(put(text, "fleet bench", bench_table(rows) + "\n" + bench_bars(rows)))
    print(options.page)


if __name__ == "__main__":
    main()
