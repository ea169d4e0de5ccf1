"""What a lab leaves behind is whole, says what was not seen, and opens without a network."""

from __future__ import annotations

import csv
import json
import math
import shutil
import sys
from itertools import pairwise

import pytest

from minitorch.labs import style
from minitorch.labs.report import claim_lines, load, plain, save, summary_lines
from tests.labs.toy import ABOUT, tables, toy


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A folder with the report of the toy under both engines, which differ."""
    page = pytest.importorskip("minitorch.labs.page")
    pytest.importorskip("matplotlib")
    folder = tmp_path_factory.mktemp("drawn")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "minitorch.labs.toy", toy())
        patch.setattr(page, "LABS", {"toy": "whether it <falls>"})
        save(ABOUT, tables(), folder)
        save({**ABOUT, "engine": "torch"}, tables(0.25, seen=False), folder)
        page.write(folder, "the digits: 3 images", ["minitorch", "torch"], [])
        yield folder


@pytest.fixture
def report(drawn, tmp_path):
    """The report in a folder to spoil."""
    return shutil.copytree(drawn, tmp_path / "report")


def test_what_is_saved_is_loaded(tmp_path):
    files = save(ABOUT, tables(), tmp_path)
    about, found = load(files[0])
    assert about == ABOUT and str(found) == str(tables())  # text, as nan is no equal of itself
    assert {file.name for file in files} == {"toy.json", *(f"toy-{t}.csv" for t in tables())}
    with open(tmp_path / "toy-curve.csv", newline="") as file:
        head, *rows = csv.reader(file)
    assert head == ["step", "cost", "who"] and rows[1] == ["1", "nan", "<b>"]
    assert {path.name for path in tmp_path.iterdir()} == {file.name for file in files}
    assert save({**ABOUT, "engine": "torch"}, tables(), tmp_path)[0].name == "toy-torch.json"


def test_what_is_no_labs_file_is_refused(tmp_path):
    (tmp_path / "x.json").write_text("[1]")
    with pytest.raises(ValueError, match="not a lab's file"):
        load(tmp_path / "x.json")
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "y.json")


def test_numbers_that_are_not_finite_are_valid_json():
    text = json.dumps(plain({"a": [math.nan, 1.5, "x"], "b": [math.inf]}), allow_nan=False)
    assert json.loads(text) == {"a": ["nan", 1.5, "x"], "b": ["inf"]}


def test_lines_say_rows_and_claims():
    assert summary_lines(tables()) == ["he  1  cost 0.5  spread 0",
                                       "xavier  2  cost -inf  spread 0.125"]
    assert claim_lines(tables(seen=False)) == [
        "NOT SEEN  costs fall & stay: 0.500 < 2", "seen      x < y: 1 < 2"]


def test_the_page_says_both_engines_numbers_and_what_only_one_saw(report):
    text = (report / "index.html").read_text()
    assert "1 of 2 claims were seen" in text and "seen by one engine only" in text
    assert "costs fall &amp; stay" in text and "whether it &lt;falls&gt;" in text
    assert "minitorch (seen): 0.500 &lt; 2" in text and "PyTorch (not seen): 0.250 &lt; 2" in text
    assert "3 of 4 numbers are the same" not in text  # -inf is not counted
    assert "2 of 3 numbers are the same in every digit" in text and "0.5 at most" in text
    assert "<td>0.5</td><td>0.25</td>" in text and '<td class="about">He</td>' in text
    assert text.count("data:image/png;base64,") == 4 and 'alt="A &#34;line&#34; that' in text
    assert "both engines: 1 &lt; 2" in text and "://" not in text
    assert {file.name for file in report.glob("*.png")} == {"toy-curve.png", "toy-wide-curve.png"}


def test_a_run_that_failed_is_said_and_the_rest_is_there(report, monkeypatch):
    from minitorch.labs import page

    monkeypatch.setattr(page, "pictures", lambda *_: iter(()))  # they take their time
    page.write(report, "the digits", ["minitorch", "torch"], [("toy", "torch")])
    text = (report / "index.html").read_text()
    assert "The run with PyTorch failed" in text and "2 of 2 claims were seen" in text
    page.write(report, "the digits", ["torch"], [("toy", "torch")])
    assert "0 of 0 claims" in (report / "index.html").read_text()


def test_the_page_in_a_browser(report, monkeypatch):
    pytest.importorskip("playwright")
    if shutil.which("chromium") is None:
        pytest.skip("chromium is not installed")
    from tests.labs import browse as browser

    assert browser.browse(report) == []
    monkeypatch.setattr(browser, "SIZES", {"wide": browser.SIZES["wide"]})
    file = report / "index.html"
    spoilt = file.read_text().replace("</main>", """<h5>deep</h5><a href="#nowhere">x</a>
        <a href="missing.csv">y</a> <script>console.error("so"); undefined_name()</script>
        <img src="https://example.invalid/x.png" alt="">
        <p style="min-width: 2000px">wide</p></main>""")
    file.write_text(spoilt)
    found = "\n".join(browser.browse(report))
    for problem in ("without size", "says little", "px too wide", "skips a level",
                    "leads nowhere: #nowhere", "no file: missing.csv", "console: so",
                    "undefined_name", "asks the network for https://example.invalid"):
        assert problem in found


def test_colours_are_told_from_the_paper():
    def luminance(value):  # WCAG 2.2
        parts = [int(value[i:i + 2], 16) / 255 for i in (1, 3, 5)]
        return sum(w * (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4)
                   for w, p in zip((0.2126, 0.7152, 0.0722), parts))

    def contrast(key):
        a, b = sorted(luminance(style.colour(k)) + 0.05 for k in (key, "paper"))
        return b / a

    things = [key for key in style.COLOURS if key not in ("faint", "paper")]
    # Lines, and the labels at them, which are as large as their line is visible.
    assert min(contrast(key) for key in things) > 2
    with style.dark():
        assert min(contrast(key) for key in things) > 3
        assert contrast("ink") > 7
    assert contrast("ink") > 7


def test_labels_keep_apart_and_inside():
    pytest.importorskip("matplotlib")
    axis = style.figure(4, 3).subplots()
    axis.set_ylim(0, 1)
    values = (0.99, 0.98, 0.97, 0.5, 0.01, 0.0, -3)
    style.label_ends(axis, [(v, str(v), "ink") for v in values])
    heights = sorted(text.xy[1] for text in axis.texts)
    assert min(b - a for a, b in pairwise(heights)) > 0.06
    assert heights[0] > -1e-9 and heights[-1] < 1 + 1e-9
    assert abs(heights[3] - 0.5) < 1e-6
