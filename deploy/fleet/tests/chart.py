"""The chart, rendered by Helm's own library."""

import copy

import helm_python

from .common import FLEET, documents

CHART = FLEET / "chart"


def values(name, **changes):
    """Values of an example, with changes given as `worker__replicas=3`."""
    found = copy.deepcopy(helm_python.values_from_yaml((CHART / "ci" / f"{name}.yaml").read_text()))
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = found
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    return found


def render(given):
    """The objects that Helm would make of these values."""
    with helm_python.Chart.load(CHART) as chart:
        chart.validate_schema(given)
        files = chart.render(given, name="fleet", namespace="zkml")
    return [document for name, text in files.items() if name.endswith(".yaml") for document in documents(text)]


def one(objects, kind, name):
    """The object of this kind and name."""
    found = [document for document in objects if (document["kind"], document["metadata"]["name"]) == (kind, name)]
    assert len(found) == 1, f"{len(found)} objects {kind} {name}"
    return found[0]
