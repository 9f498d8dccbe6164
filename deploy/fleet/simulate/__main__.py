"""Runs all scenarios: figures into results.json and the book, plots into a page. `python3 -m simulate [--page FILE]`."""

import argparse
import json
import pathlib
import sys
import time

from .page import page
from .run import HERE, run, table

BOOK = HERE.parents[2] / "docs/book/src/fleet.md"
BEGIN, END = "<!-- figures: fleet simulation begin -->\n", "<!-- figures: fleet simulation end -->"


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
    text = BOOK.read_text()
    before, rest = text.split(BEGIN)
    BOOK.write_text(before + BEGIN + table(kept) + END + rest.split(END, 1)[1])
    print(options.page)


if __name__ == "__main__":
    main()
