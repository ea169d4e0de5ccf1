"""A run as a picture: bars of each engine's ratio to PyTorch's default, one panel per table."""

from __future__ import annotations

from benchmarks.report import JUDGE
from benchmarks.runner import Cells
from benchmarks.table import UNITS


def draw(cells: Cells, path: str) -> None:
    """Bars are medians over rounds, whiskers the smallest and largest; needs matplotlib."""
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import numpy as np

    panels = list(dict.fromkeys((key[0], key[3]) for key in cells))
    sizes = [len({key[1] for key in cells if (key[0], key[3]) == panel}) for panel in panels]
    engines = list(dict.fromkeys(key[2] for key in cells))
    figure, axes = plt.subplots(len(panels), squeeze=False, layout="constrained", figsize=(
        min(30, 3 + 1.3 * max(sizes)), 3.2 * len(panels)))
    for (table, threads), ax in zip(panels, axes[:, 0]):
        rows = list(dict.fromkeys(k[1] for k in cells if k[0] == table and k[3] == threads))
        unit = next(cell.unit for key, cell in cells.items() if key[0] == table)
        relative = any(cells[table, row, JUDGE, threads].rounds for row in rows
                       if (table, row, JUDGE, threads) in cells)
        shown = [e for e in engines if e != JUDGE] if relative else engines
        for i, e in enumerate(shown):
            for j, row in enumerate(rows):
                cell, judge = (cells.get((table, row, x, threads)) for x in (e, JUDGE))
                if cell is None or not cell.rounds or (relative and (judge is None or e == JUDGE)):
                    continue
                found = cell.ratios(judge) if relative and judge else [
                    v * UNITS[unit] for v in cell.rounds.values()]
                if not found:
                    continue
                middle = float(np.median(found))
                ax.bar(j + (i + 0.5) / len(shown) * 0.8 - 0.4, middle, 0.8 / len(shown),
                       color=f"C{engines.index(e) % 10}", label=e, yerr=[[middle - min(found)],
                                                          [max(found) - middle]])
        if relative:
            ax.axhline(1, color="black", linewidth=0.8, linestyle="--")
        ax.set_yscale("log")
        ax.set_xticks(range(len(rows)), rows, rotation=90 if len(rows) > 12 else 0)
        ax.set_ylabel(f"time / {JUDGE}'s" if relative and unit != "MB" else
                      f"memory / {JUDGE}'s" if relative else unit)
        ax.set_title(f"{table}, {threads} thread{'s' * (threads > 1)}")
        handles = dict(zip(*ax.get_legend_handles_labels()[::-1]))
        ax.legend(handles.values(), handles.keys(), fontsize="small", frameon=False,
                  loc="upper left", bbox_to_anchor=(1, 1))  # beside the bars, not over them
    figure.savefig(path, dpi=120)
    plt.close(figure)
