"""A report as a page: its text, and what was compared as heat maps. No scripts, nothing loaded."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from minitorch.testing.report import Report

Array = Any
MOST = 40  # rows and columns of a map
NEGATIVE, POSITIVE = (33, 102, 172), (178, 24, 43)  # blue and red, which most eyes tell apart

STYLE = """
.gradient-report { font: 14px/1.4 system-ui, sans-serif; color: #222; background: #fff;
                   padding: 1em; }
.gradient-report pre { overflow-x: auto; background: #f6f6f6; padding: .8em; }
.gradient-report .verdict { display: inline-block; padding: .2em .8em; border-radius: .3em;
                            color: #fff; }
.gradient-report .maps { display: flex; flex-wrap: wrap; gap: 1.5em; }
.gradient-report table { border-collapse: collapse; font-size: 10px; }
.gradient-report td { width: 15px; height: 15px; padding: 0; border: 1px solid #fff; }
.gradient-report td.wrong { outline: 1.5px solid #000; outline-offset: -1.5px; }
.gradient-report td.unknown { background: #ccc; }
.gradient-report th { font-weight: normal; color: #666; padding: 0 3px; }
.gradient-report .legend { width: 180px; height: 10px; }
.gradient-report .values { width: 180px; display: flex; justify-content: space-between;
                           font-size: 11px; }
"""
COLOURS = {"pass": "#1a7f37", "pass-at-kink": "#1a7f37", "unsure": "#9a6700", "fail": "#b3261e"}


def page(report: Report) -> str:
    title = escape(f"{report.verdict}: {report.reason}")
    return (f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f"<title>{title}</title>\n</head>\n<body>\n{body(report)}\n</body>\n</html>\n")


def body(report: Report) -> str:
    """The report as a part of a page."""
    parts = [f"<style>{STYLE}</style>", '<div class="gradient-report">',
             f'<p><span class="verdict" style="background: {COLOURS[report.verdict]}">'
             f"{report.verdict}</span></p>", f"<pre>{escape(str(report))}</pre>"]
    kind = "Jacobian by" if report.jacobians else "gradient of &lt;f(x), v&gt; by"
    for found in report.jacobians or report.gradients:
        parts.append(f"<h3>{kind} {escape(found['name'])}</h3>")
        parts.append(maps(found, bool(report.jacobians)))
    parts.append("</div>")
    return "\n".join(parts)


def maps(found: dict[str, Any], jacobian: bool) -> str:
    """Three maps side by side: analytic, numeric, and their difference on a scale of its own."""
    shape = found["analytic"].shape
    analytic, numeric, bar, wrong = (matrix(found[k]) for k in ("analytic", "numeric", "bar",
                                                                "wrong"))
    if not analytic.size:
        return "<p>(empty)</p>"
    rows, columns = window(analytic, numeric, wrong)
    note = ""
    if (len(rows), len(columns)) != analytic.shape:
        note = (f"<p>rows {rows[0]} to {rows[-1]} of {analytic.shape[0]}, columns {columns[0]} to "
                f"{columns[-1]} of {analytic.shape[1]}, around the worst entry</p>")
    if jacobian:
        note = "<p>row: entry of the outputs; column: entry of the input</p>" + note
    with np.errstate(all="ignore"):
        difference = analytic - numeric
    cut = np.ix_(rows, columns)
    common = largest(analytic[cut], numeric[cut])
    titles = {(i, j): title(shape, jacobian, i, j, analytic, numeric, bar)
              for i in rows for j in columns}
    out = [table(name, values, wrong, scale, rows, columns, titles) for name, values, scale in (
        ("analytic", analytic, common), ("numeric", numeric, common),
        ("analytic − numeric", difference, largest(difference[cut])))]
    return note + '<div class="maps">' + "\n".join(out) + "</div>"


def matrix(x: Array) -> Array:
    """As rows and columns: leading axes are laid one below the other."""
    return x.reshape(-1, x.shape[-1]) if x.ndim > 1 else x.reshape(1, -1)


def largest(*arrays: Array) -> float:
    sizes = np.concatenate([abs(a[np.isfinite(a)]) for a in arrays])
    return float(sizes.max(initial=0))


def window(analytic: Array, numeric: Array, wrong: Array) -> tuple[list[int], list[int]]:
    """The rows and columns to show: all, or those around the entry that is off most."""
    with np.errstate(all="ignore"):
        off = abs(analytic - numeric)
    off = np.where(np.isnan(off), np.where(wrong, np.inf, -1), off * (1 + wrong))
    worst = np.unravel_index(off.argmax(), off.shape)
    out = []
    for i, n in zip(worst, off.shape):
        first = max(0, min(int(i) - MOST // 2, n - MOST))
        out.append(list(range(first, min(n, first + MOST))))
    return out[0], out[1]


def title(shape: tuple[int, ...], jacobian: bool, i: int, j: int, analytic: Array, numeric: Array,
          bar: Array) -> str:
    if jacobian:
        place = f"[{i}, {j}]"
    else:
        flat = i * analytic.shape[1] + j
        place = str([int(n) for n in np.unravel_index(flat, shape)]) if shape else ""
    known = (f"numeric {numeric[i, j]:.9g} ± {bar[i, j]:.1e}" if np.isfinite(bar[i, j])
             else "not compared")
    return f"{place} analytic {analytic[i, j]:.9g}, {known}".strip()


def colour(value: float, scale: float) -> str:
    """White at 0, blue at -scale, red at scale."""
    part = min(1.0, abs(value) / scale) if scale else 0.0
    end = NEGATIVE if value < 0 else POSITIVE
    return "#" + "".join(f"{round(255 + part * (c - 255)):02x}" for c in end)


def table(name: str, values: Array, wrong: Array, scale: float, rows: list[int],
          columns: list[int], titles: dict[tuple[int, int], str]) -> str:
    head = "".join(f"<th>{j if j % 5 == 0 else ''}</th>" for j in columns)
    lines = [f"<tr><th></th>{head}</tr>"]
    for i in rows:
        cells = []
        for j in columns:
            value = float(values[i, j])
            unknown = not math.isfinite(value)
            classes = " ".join([*["wrong"] * bool(wrong[i, j]), *["unknown"] * unknown])
            style = "" if unknown else f' style="background: {colour(value, scale)}"'
            cells.append(f'<td{f" class={chr(34)}{classes}{chr(34)}" if classes else ""}{style} '
                         f'title="{escape(titles[i, j])}"></td>')
        lines.append(f"<tr><th>{i if i % 5 == 0 else ''}</th>{''.join(cells)}</tr>")
    ends = f"{colour(-1, 1)}, #ffffff, {colour(1, 1)}"
    return (f"<div><b>{escape(name)}</b>\n<table>\n" + "\n".join(lines) + "\n</table>\n"
            f'<div class="legend" style="background: linear-gradient(to right, {ends})"></div>\n'
            f'<div class="values"><span>{-scale:.3g}</span><span>0</span><span>{scale:.3g}</span>'
            f"</div></div>")
