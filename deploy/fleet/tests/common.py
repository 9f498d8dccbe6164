"""Places, programs and documents that several checks need."""

import glob
import os
import pathlib
import re
import shutil

import yaml

FLEET = pathlib.Path(__file__).resolve().parents[1]
ROOT = FLEET.parents[1]


def program(name, package, *places):
    """Path of a program; an error that names its Debian package where there is none."""
    found = shutil.which(name)
    for pattern in places:
        found = found or next(iter(sorted(glob.glob(pattern), reverse=True)), None)
    if found is None:
        raise RuntimeError(f"{name} is not installed; Debian has it in {package}")
    return found


def documents(text):
    """The documents of a YAML text that are not empty."""
    return [document for document in yaml.safe_load_all(text) if document]


def interpolate(text, values):
    """A compose file as compose reads it: with the variables' values, or their defaults."""

    def value(match):
        name, default, message = match["name"], match["default"], match["message"]
        if values.get(name):
            return values[name]
        if message is not None:
            raise KeyError(f"{name}: {message}")
        return default or ""

    return re.sub(r"\$\{(?P<name>\w+)(?::-(?P<default>[^}]*)|:\?(?P<message>[^}]*))?\}", value, text)


def environment(path):
    """The settings of an environment file."""
    lines = (line.strip() for line in path.read_text().splitlines())
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def as_somebody_else():
    """How to run what refuses to run as root."""
    return {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
