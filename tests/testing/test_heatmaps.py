"""Laws of the page: it stands alone, says what the report says, and shows the numbers compared."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from minitorch.testing import check_grad, mutate
from minitorch.testing.heatmaps import MOST, colour

x = np.random.default_rng(3).normal(size=(4, 3))
w = np.random.default_rng(4).normal(size=(3, 3))
f = (lambda x: np.sin(x @ w), lambda v, x: (v * np.cos(x @ w)) @ w.T)
VOID = {"meta"}


class Page(HTMLParser):
    """Its elements, checked to be nested; the cells of its maps; its text."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.cells, self.text = [], [], [], ""
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "table":
            self.cells.append([])
        if tag == "td":
            self.cells[-1].append(dict(attrs))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data


def report(f, *inputs, **options):
    return check_grad(f, *inputs, raise_exception=False, **options)


@pytest.mark.parametrize("options", [{}, {"method": "jacobian"}, {"explain": False}])
@pytest.mark.parametrize("change", [None, "rolled"])
def test_a_page_is_well_formed_and_loads_nothing(change, options):
    found = report(f if change is None else mutate(f, change), x, **options)
    page = Page(found.to_html())
    assert str(found) in page.text
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in page.tags}
    assert "http" not in found.to_html() and "url(" not in found.to_html()
    maps = 3 if options.get("method") or (change and not options) else 0
    assert len(page.cells) == maps
    assert found._repr_html_() in found.to_html() and "<html" not in found._repr_html_()


def test_a_cell_says_its_index_both_values_and_the_bar():
    found = report(mutate(f, "one entry dropped"), x)
    (gradient,) = found.gradients
    for cells in Page(found.to_html()).cells:
        assert len(cells) == x.size
        for cell, index in zip(cells, np.ndindex(x.shape)):
            place, analytic, numeric, bar = re.fullmatch(
                r"(.*) analytic (.*), numeric (.*) ± (.*)", cell["title"]).groups()
            assert place == str(list(index))
            assert float(analytic) == pytest.approx(gradient["analytic"][index], rel=1e-8)
            assert float(numeric) == pytest.approx(gradient["numeric"][index], rel=1e-8)
            assert float(bar) == pytest.approx(gradient["bar"][index], rel=0.06)
            assert ("wrong" in cell.get("class", "")) == (index == (2, 0))


def test_a_jacobian_has_a_row_for_each_output():
    found = report(f, x, method="jacobian")
    cells = Page(found.to_html()).cells[0]
    assert len(cells) == x.size**2 and cells[x.size + 2]["title"].startswith("[1, 2] analytic ")
    assert not any("class" in cell for cell in cells)


def test_colours_are_a_scale_from_blue_by_white_to_red():
    assert colour(0.0, 1.0) == colour(1.0, 0.0) == "#ffffff"
    assert colour(-2.0, 2.0) == "#2166ac" and colour(2.0, 2.0) == "#b2182b"
    found = report(mutate(f, "x2"), x)
    (gradient,) = found.gradients
    most = max(abs(gradient[side]).max() for side in ("analytic", "numeric"))
    cells = Page(found.to_html()).cells
    for cell, g in zip(cells[0], gradient["analytic"].ravel()):
        assert cell["style"] == f"background: {colour(g, most)}"
    assert f"<span>{-most:.3g}</span><span>0</span><span>{most:.3g}</span>" in found.to_html()


def test_a_large_map_is_cut_around_the_worst_entry():
    found = report(f, x)
    values = np.random.default_rng(0).normal(size=(70, 60))
    numeric = np.where(values > 1, np.nan, values)  # some were not compared
    numeric[65, 7] = values[65, 7] - 9
    found.gradients = [{"name": "input 0", "analytic": values, "numeric": numeric,
                        "bar": numeric * 0 + 1e-12, "wrong": abs(values - numeric) > 1}]
    page = Page(found.to_html())
    assert len(page.cells[0]) == MOST**2
    assert sum("[65, 7] " in cell["title"] for cell in page.cells[0]) == 1
    grey = [cell for cell in page.cells[1] if "unknown" in cell.get("class", "")]
    assert len(grey) > MOST and all("not compared" in cell["title"] for cell in grey)
    assert "rows 30 to 69 of 70, columns 0 to 39 of 60" in page.text


@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 2)])
def test_any_number_of_axes_is_laid_out(shape):
    found = report(mutate((np.exp, lambda v, x: v * np.exp(x)), "x2"), np.full(shape, 0.3))
    cells = Page(found.to_html()).cells[0]
    assert len(cells) == np.prod(shape, dtype=int)
    places = [cell["title"].split(" analytic")[0] for cell in cells]
    if shape:
        assert places == [str(list(i)) for i in np.ndindex(shape)]


def test_what_the_function_says_is_escaped():
    def f(x):
        return x * 1
    found = report((f, lambda v, x: v), np.ones(2))
    found.reason = "<script>alert(1)</script> & more"
    assert "<script>" not in found.to_html() and "&lt;script&gt;" in found.to_html()
    assert Page(found.to_html()).text.count("<script>alert(1)</script> & more") == 2


def test_a_page_is_saved(tmp_path):
    found = report(mutate(f, "sign"), x)
    found.save(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == found.to_html()
