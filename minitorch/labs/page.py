"""The report of all labs: one HTML file that needs no other and no network, light and dark."""

from __future__ import annotations

import base64
import importlib
import inspect
import io
import math
import platform
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from minitorch.labs import LABS, style
from minitorch.labs.networks import Table
from minitorch.labs.report import load, stem

try:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image  # comes with matplotlib
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer
except ImportError as error:
    raise ImportError("the report needs matplotlib, Jinja2 and Pygments, and not all are "
                      f"installed ({error}): pip install 'minitorch-xp[cli]'") from error

ENGINES = {"minitorch": "minitorch", "torch": "PyTorch"}
CODE_STYLES = {"light": "xcode", "dark": "github-dark"}


def write(folder: Path, data: str, engines: list[str], failed: list[tuple[str, str]],
          workers: int = 1) -> Path:
    """Draw the saved runs of all labs in ``folder``, and write index.html there; returns its path.

    ``data`` says in words what they ran on. Drawing takes most of the time: ``workers`` processes
    share it.
    """
    shown = partial(lab, folder, engines=engines, failed=failed)
    if workers > 1:
        with ProcessPoolExecutor(workers) as pool:
            labs = list(pool.map(shown, LABS))
    else:
        labs = [shown(name) for name in LABS]
    environment = Environment(loader=PackageLoader("minitorch.labs", ""), autoescape=True,
                              undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    text = environment.get_template("page.html").render(
        labs=labs, data=data, engines=[ENGINES[engine] for engine in engines], today=date.today(),
        seen=sum(each["seen"] for each in labs), count=sum(each["count"] for each in labs),
        machine=f"Python {platform.python_version()} on {platform.system()}, {platform.machine()}",
        code_styles={theme: HtmlFormatter(style=of).get_style_defs(".code")
                     for theme, of in CODE_STYLES.items()})
    file = folder / "index.html"
    file.write_text(text, encoding="utf-8")
    return file


def lab(folder: Path, name: str, engines: list[str], failed: list[tuple[str, str]]
        ) -> dict[str, Any]:
    """What the template says of one lab; without runs, that they failed."""
    module = importlib.import_module(f"minitorch.labs.{name}")
    runs = {engine: load(folder / f"{stem(name, engine)}.json") for engine in engines
            if (name, engine) not in failed}
    shown: dict[str, Any] = {
        "name": name, "about": LABS[name], "title": module.TITLE, "question": module.QUESTION,
        "claim": module.CLAIM,
        "code": [code(function) for function in module.CODE],
        "failed": [ENGINES[engine] for engine in engines if (name, engine) in failed],
        "runs": [{"engine": ENGINES[engine], "version": about["version"], "seed": about["seed"],
                  "seconds": about["seconds"]} for engine, (about, _) in runs.items()],
        "claims": [], "summary": None, "pictures": [], "files": [], "seen": 0, "count": 0}
    if not runs:
        return shown
    results = {ENGINES[engine]: result for engine, (_, result) in runs.items()}
    first = next(iter(results.values()))
    shown["claims"] = list(claims(results))
    shown["count"] = len(shown["claims"])
    shown["seen"] = sum(claim["seen"] for claim in shown["claims"])
    shown["summary"] = summary({engine: result["summary"] for engine, result in results.items()})
    shown["pictures"] = list(pictures(folder, module, name, first))
    shown["files"] = [f"{stem(name, next(iter(runs)))}-{table}.csv" for table in first]
    return shown


def code(function: Any) -> dict[str, Any]:
    """A function's name, and its source as HTML with classes for its colours."""
    formatter = HtmlFormatter(nowrap=True)
    return {"name": function.__name__,
            "html": Markup(highlight(inspect.getsource(function), PythonLexer(), formatter))}


def claims(results: dict[str, dict[str, Table]]) -> Iterator[dict[str, Any]]:
    """Each claim, whether every engine shows it, and the numbers of each."""
    tables = {engine: result["claims"] for engine, result in results.items()}
    for i, text in enumerate(next(iter(tables.values()))["claim"]):
        seen = {engine: bool(table["seen"][i]) for engine, table in tables.items()}
        said = {engine: table["numbers"][i] for engine, table in tables.items()}
        if len(said) > 1 and len(set(said.values())) == 1:
            said = {"both engines": next(iter(said.values()))}
        yield {"text": text, "seen": all(seen.values()), "mixed": len(set(seen.values())) > 1,
               "numbers": [{"engine": engine, "seen": seen.get(engine), "text": numbers}
                           for engine, numbers in said.items()]}


def summary(tables: dict[str, Table]) -> dict[str, Any]:
    """The engines' tables as one: what a row is about, then each number under each engine."""
    first = next(iter(tables.values()))
    numbers = [key for key, column in first.items()
               if any(isinstance(value, float) for value in column)]
    about = [key for key in first if key not in numbers]
    rows = [{"about": [style.name(str(first[key][i])) for key in about],
             "numbers": [[number(table[key][i]) for table in tables.values()] for key in numbers]}
            for i in range(len(first[next(iter(first))]))]
    return {"about": about, "numbers": numbers, "engines": list(tables), "rows": rows,
            "apart": apart(tables, numbers)}


def apart(tables: dict[str, Table], numbers: list[str]) -> str | None:
    """How far two engines' numbers lie apart: the middle and the largest relative difference."""
    if len(tables) < 2:
        return None
    one, other = tables.values()
    found = sorted(abs(a - b) / max(abs(a), abs(b)) if a != b else 0.0
                   for key in numbers for a, b in zip(one[key], other[key])
                   if isinstance(a, float) and isinstance(b, float)
                   and math.isfinite(a) and math.isfinite(b))
    if not found:
        return None
    return (f"{sum(d == 0 for d in found)} of {len(found)} numbers are the same in every digit; "
            f"the relative difference is {found[len(found) // 2]:.1g} in the middle and "
            f"{found[-1]:.1g} at most")


def number(value: Any) -> str:
    if not isinstance(value, float):
        return "" if value is None else str(value)
    return f"{value:.4g}"


def pictures(folder: Path, module: ModuleType, name: str, result: dict[str, Table]
             ) -> Iterator[dict[str, Any]]:
    """Each picture for light and dark pages, as data URLs; a PNG of the light one beside the page.
    """
    with style.dark():
        night = [png(picture.figure) for picture in module.draw(result)]
    for picture, dark in zip(module.draw(result), night):
        light = png(picture.figure)
        (folder / f"{name}-{picture.name}.png").write_bytes(light)
        width, height = picture.figure.get_size_inches()
        yield {"name": picture.name, "caption": picture.caption, "alt": picture.alt,
               "light": url(light), "dark": url(dark), "wide": width > 6,
               "width": round(width * 100), "height": round(height * 100)}


def png(figure: Any) -> bytes:
    """The figure as a PNG with a palette: a third of the size, for so few colours."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    file = io.BytesIO()
    image.quantize(128, dither=Image.Dither.NONE).save(file, "png")
    return file.getvalue()


def url(data: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"
