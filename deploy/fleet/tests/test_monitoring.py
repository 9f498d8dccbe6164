"""dashboard.json and alerts.yaml: they are of the form that Grafana and Prometheus take, and ask for metrics that exist."""

import copy
import json
import pathlib
import re
import subprocess
import tempfile
import unittest

import jsonschema
import yaml

from .common import FLEET, ROOT, program

# What a dashboard of Grafana 10 to 12 needs to be shown; nothing that it does not know.
SCHEMA = json.loads((FLEET / "tests" / "dashboard.schema.json").read_text())


def metrics():
    """Kind and labels of each metric."""
    lines = (line.split() for line in (FLEET / "tests" / "metrics.txt").read_text().splitlines())
    return {line[0]: (line[1], set(line[2:])) for line in lines if line and not line[0].startswith("#")}


def faults(expression):
    """What an expression asks for that there is not."""
    known = metrics()
    found = []
    for name, selector in re.findall(r"\b(zkml_\w+)(?:\{([^}]*)\})?", expression):
        base = re.sub("_(bucket|sum|count)$", "", name)
        kind, labels = known.get(name) or known.get(base) or (None, set())
        if kind is None or (name != base) != (kind == "histogram"):
            found.append(name)
        found += [f"{name}{{{label}}}" for label in re.findall(r"(\w+)\s*[=!]", selector) if label not in labels]
        rated = re.search(rf"\b(rate|increase)\({name}\b", expression)
        if kind is not None and (kind == "gauge") == bool(rated):
            found.append(f"{name}, a {kind}, {'with' if rated else 'without'} rate or increase")
    return found


def expressions():
    """The dashboard's, with its variables replaced."""
    for panel in json.loads((FLEET / "dashboard.json").read_text())["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"].replace("$__rate_interval", "1m")


class Dashboard(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dashboard = json.loads((FLEET / "dashboard.json").read_text())

    def test_it_has_the_form_that_grafana_reads(self):
        jsonschema.Draft202012Validator.check_schema(SCHEMA)
        jsonschema.validate(self.dashboard, SCHEMA)
        broken = copy.deepcopy(self.dashboard)
        broken["panels"][1]["targets"][0]["expression"] = "1"
        with self.assertRaises(jsonschema.ValidationError):
            jsonschema.validate(broken, SCHEMA)

    def test_it_asks_for_metrics_that_exist(self):
        for title, expression in expressions():
            self.assertEqual(faults(expression), [], title)
        self.assertEqual(faults("rate(zkml_queue_done[1m])"), ["zkml_queue_done"])
        self.assertEqual(faults('zkml_queue_tasks{status="ready"}'), ["zkml_queue_tasks{status}"])
        self.assertEqual(len(faults("zkml_queue_done_total")), 1)

    def test_it_shows_every_metric_of_queue_and_workers(self):
        shown = " ".join(expression for _, expression in expressions())
        missing = [name for name in metrics() if not name.startswith("zkml_watch") and name not in shown]
        self.assertEqual(missing, [])

    def test_prometheus_understands_every_expression(self):
        rules = [{"record": f"fleet:{index}", "expr": expression} for index, (_, expression) in enumerate(expressions())]
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}, file)
            file.flush()
            promtool("check", "rules", file.name)

    def test_panels_do_not_cover_each_other(self):
        taken = {}
        for panel in self.dashboard["panels"]:
            place = panel["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
            for cell in ((x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])):
                self.assertNotIn(cell, taken, f"{panel['title']} over {taken.get(cell)}")
                taken[cell] = panel["title"]
        identifiers = [panel["id"] for panel in self.dashboard["panels"]]
        self.assertEqual(len(identifiers), len(set(identifiers)))


class Metrics(unittest.TestCase):
    """The list is the program's: each name is registered where its prefix is."""

    def held(self, prefix, mark):
        sources = [path.read_text() for path in sorted((ROOT / "crates").glob("zkml-*/src/**/*.rs"))]
        sources = [text for text in sources if mark in text]
        if not sources:
            self.skipTest(f"the program has no metrics {prefix} yet")
        text = "".join(sources)
        named = set(re.findall(r'\bregister\(\s*"(\w+)"', text)) | set(re.findall(r'\("(\w+)", "[^"]+", &self\.', text))
        for name in metrics():
            if name.startswith(prefix):
                self.assertIn(re.sub("_total$", "", name.removeprefix(prefix)), named, name)

    def test_those_of_watch(self):
        self.held("zkml_watch_", 'with_prefix("')

    def test_those_of_the_queue(self):
        self.held("zkml_queue_", 'with_prefix("queue")')

    def test_those_of_workers(self):
        self.held("zkml_worker_", 'with_prefix("zkml_worker")')


class Alerts(unittest.TestCase):
    def test_they_ask_for_metrics_that_exist(self):
        rules = yaml.safe_load((FLEET / "alerts.yaml").read_text())["groups"][0]["rules"]
        for rule in rules:
            self.assertEqual(faults(rule["expr"]), [], rule["alert"])
            self.assertIn(rule["labels"]["severity"], ("warning", "critical"))
            self.assertEqual(set(rule["annotations"]), {"summary", "action"})
        tested = (FLEET / "tests" / "alerts.test.yaml").read_text()
        self.assertEqual([rule["alert"] for rule in rules if rule["alert"] not in tested], [])

    def test_each_fires_for_its_reason_and_not_otherwise(self):
        promtool("check", "rules", FLEET / "alerts.yaml")
        promtool("test", "rules", FLEET / "tests" / "alerts.test.yaml")

    def test_the_settings_of_prometheus_are_settings(self):
        with tempfile.TemporaryDirectory() as scratch:
            settings = (FLEET / "prometheus.yaml").read_text().replace("/etc/prometheus/", f"{FLEET}/")
            file = pathlib.Path(scratch) / "prometheus.yaml"
            file.write_text(settings)
            promtool("check", "config", file)


def promtool(*arguments):
    done = subprocess.run([program("promtool", "prometheus", str(ROOT / "target/fleet/usr/bin/promtool")), *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
