"""What notebooks show, and what is documented."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import zkml_chain as zk
from zkml_chain import _html

README = Path(__file__).resolve().parents[1] / "README.md"


def test_a_model_shows_graph_error_and_cost(credit: zk.Model) -> None:
    page = credit._repr_html_()
    body = page[page.index("<div") :]
    tree = ElementTree.fromstring(body)
    assert len(tree.findall("{http://www.w3.org/2000/svg}svg")) == 3
    for words in ("Gemm", "largest error, share", "share of a proof", "who sees what", "applicant: committed"):
        assert words in page
    assert "<svg" in credit.calibration.plot_error()._repr_svg_()


def test_a_report_is_the_command_lines_page(credit: zk.Model, tmp_path: Path) -> None:
    report = credit.report(records=tmp_path)
    assert report.data["model"] == credit.name and report.data["activity"]["samples"] > 0
    assert report.html.startswith("<!doctype html>") and credit.model_hash in report.html
    page = report.save(tmp_path / "report.html")
    assert page.read_text(encoding="utf-8") == report.html and page.stat().st_mode & 0o777 == 0o644
    shown = report._repr_html_()
    assert "<h1" not in shown and "&lt;h1" in shown and 'sandbox' in shown
    with pytest.raises(OSError):
        report.save(tmp_path / "none" / "report.html")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    assert repr(report) == "Report()"


def test_names_cannot_break_a_page() -> None:
    picture = str(_html.bars("<b>", {"<script>alert(1)</script>": 1.0, "a & b": 0.0}, "{:.1f}"))
    ElementTree.fromstring(picture)
    assert "<script" not in picture and "<b>" not in _html.table({"<b>": "<i>"})
    assert "largest 24 of 99" in str(_html.bars("t", {str(n): float(n) for n in range(99)}, "{:.0f}"))


def test_everything_public_is_documented() -> None:
    for name in zk.__all__:
        thing = getattr(zk, name)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            assert inspect.getdoc(thing), name
            own = vars(thing).items() if inspect.isclass(thing) else ()
            for member, value in own:
                if not member.startswith("_") and callable(value):
                    assert inspect.getdoc(value), f"{name}.{member}"


def test_the_readme_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert len(blocks) == 2
    names: dict[str, object] = {}
    exec("\n".join(blocks), names)  # noqa: S102
    assert isinstance(names["m"], zk.Model) and isinstance(names["s"], zk.Simulation)
    # Ten lines to a proof.
    assert len([line for line in blocks[0].splitlines() if line]) <= 10
    assert np.isfinite(list(names["p"].outputs.values())[0]).all()  # type: ignore[attr-defined]
