"""What a ``Monitor`` recorded as one HTML page that needs no other file, light and dark."""

from __future__ import annotations

import base64
import html
import io
import math
from typing import Any

from minitorch.monitor.picture import heatmap

HEADS = {"layer": "layer", "mean": "mean", "std": "std", "saturated": "saturated",
         "silent": "silent in the step", "dead": "dead since the reset",
         "grad_rms": "gradient by the output", "weight_grad_rms": "gradient by the weights",
         "update_ratio": "step / weights", "nonfinite": "nan or inf"}
FRACTIONS = {"saturated", "silent", "dead", "nonfinite"}

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>
:root {{ color-scheme: light dark; --ink: #222; --paper: #fff; --line: #ddd; --bad: #b3261e; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --ink: #e6e6e6; --paper: #16181c; --line: #3a3d44; --bad: #ff8a80; }}
}}
@media print {{ :root {{ --ink: #000; --paper: #fff; --line: #bbb; --bad: #b3261e; }} }}
body {{ font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 62rem; margin: 0 auto; padding: 1rem; }}
img {{ max-width: 100%; height: auto; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }}
th, td {{ padding: .25rem .6rem; text-align: right; border-bottom: 1px solid var(--line); }}
th:first-child, td:first-child {{ text-align: left; white-space: nowrap; }}
.bad {{ color: var(--bad); font-weight: 600; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{summary}</p>
<h2>What stands out</h2>
<ul>
{findings}
</ul>
<h2>Layers over the steps</h2>
<picture>
<source media="print" srcset="{light}">
<source media="(prefers-color-scheme: dark)" srcset="{dark}">
<img src="{light}" alt="Heat maps, layers down and training steps across: the numbers of the table
below at every recorded step" width="{width}" height="{height}">
</picture>
<h2>The last recorded step, {step}</h2>
<div class="wide">
<table>
<thead><tr>{heads}</tr></thead>
<tbody>
{body}
</tbody>
</table>
</div>
</body>
</html>
"""


def page(rows: list[dict[str, Any]]) -> str:
    """The page's text. Raises ImportError, with advice, without matplotlib."""
    light, width, height = picture(rows, dark=False)
    last = max(row["step"] for row in rows)
    table = [row for row in rows if row["step"] == last]
    steps = len({row["step"] for row in rows})
    found = findings(rows)
    return PAGE.format(
        title="Monitor: what flows through each layer",
        summary=f"{len(table)} layers, {steps} recorded steps, from {rows[0]['step']} to {last}.",
        findings="\n".join(f'<li class="bad">{html.escape(text)}</li>' for text in found)
        or "<li>Nothing: all numbers are finite, gradients reach every layer, few units are "
           "saturated or dead.</li>",
        light=light, dark=picture(rows, dark=True)[0], width=width, height=height, step=last,
        heads="".join(f'<th scope="col">{head}</th>' for head in HEADS.values()),
        body="\n".join("<tr>" + "".join(cell(row, name) for name in HEADS) + "</tr>"
                       for row in table))


def picture(rows: list[dict[str, Any]], dark: bool) -> tuple[str, int, int]:
    """The maps as a data URL, and their size on the page."""
    figure = heatmap(rows, dark)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    width, height = figure.get_size_inches() * 100
    text = base64.b64encode(file.getvalue()).decode()
    return f"data:image/png;base64,{text}", round(width), round(height)


def cell(row: dict[str, Any], name: str) -> str:
    value = row[name]
    if name == "layer":
        return f"<td>{html.escape(value + '  ' + row['kind'])}</td>"
    if value is None:
        return "<td></td>"
    bad = not math.isfinite(value) or (name == "nonfinite" and value > 0)
    text = f"{value:.1%}" if name in FRACTIONS else f"{value:.3g}"
    return f'<td class="bad">{text}</td>' if bad else f"<td>{text}</td>"


def findings(rows: list[dict[str, Any]]) -> list[str]:
    """What a reader should look at first, each with its numbers and its step."""
    found = []
    # Forward comes first: one output that is not finite spoils the gradients of all layers.
    if wrong := ([row for row in rows if row["nonfinite"]]
                 or [row for row in rows if not_finite(row["grad_rms"])]):
        row = wrong[0]
        found.append(f"nan or inf first at step {row['step']}, in {row['layer']} ({row['kind']}).")
    last = [row for row in rows if row["step"] == rows[-1]["step"]]
    gradients = [row for row in last if row["grad_rms"] is not None
                 and math.isfinite(row["grad_rms"])]
    if gradients:
        low = min(gradients, key=lambda row: row["grad_rms"])
        high = max(gradients, key=lambda row: row["grad_rms"])
        if low["grad_rms"] == 0:
            found.append(f"No gradient reaches {low['layer']} ({low['kind']}).")
        elif high["grad_rms"] > 1000 * low["grad_rms"]:
            found.append(f"Gradients differ by a factor {high['grad_rms'] / low['grad_rms']:.0e} "
                         f"between {high['layer']} and {low['layer']}.")
    for row in last:
        if (row["dead"] or 0) > 0.05:
            found.append(f"{row['layer']} ({row['kind']}): {row['dead']:.0%} of the units are "
                         f"dead: silent in every step since the last reset.")
        if row["kind"] not in ("ReLU", "ELU", "SELU", "CELU") and (row["saturated"] or 0) > 0.5:
            found.append(f"{row['layer']} ({row['kind']}): {row['saturated']:.0%} of the outputs "
                         f"are saturated.")
    return found


def not_finite(value: float | None) -> bool:
    return value is not None and not math.isfinite(value)
