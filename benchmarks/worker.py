"""One engine in one process, asked by the runner: a JSON line in, a JSON line out.

The package ``home`` has the engines and the tables. The requests are ``prepare`` (a row's work is
made, and its check run) and ``measure``. Between requests the process waits in a read and uses no
processor.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any


def timed(run: Callable[[], Any], seconds: float, least: int, warm: int) -> dict[str, Any]:
    """Run for so many seconds and at least so often; the times of single runs in figures.

    Garbage is collected before, and whenever Python wants to meanwhile, as in any program.
    """
    clock = time.perf_counter
    for _ in range(warm):
        run()
    gc.collect()
    times: list[float] = []
    end = clock() + seconds
    while len(times) < least or clock() < end:
        start = clock()
        run()
        times.append(clock() - start)
    return {"value": statistics.median(times), "mean": statistics.fmean(times), "runs": len(times)}


class Server:
    def __init__(self, engine: str, threads: int, home: str) -> None:
        from benchmarks.machine import cores

        if hasattr(os, "sched_setaffinity"):  # before a library counts the processors
            os.sched_setaffinity(0, cores()[:threads])
        self.home = home
        self.engine = importlib.import_module(f"{home}.engines").ENGINES[engine]
        self.about = self.engine.start(threads)
        self.work: Any = None

    def prepare(self, table: str, row: str, **_: Any) -> dict[str, Any]:
        from benchmarks.table import Unfit

        tables = importlib.import_module(f"{self.home}.tables").TABLES
        self.work = None  # the row before is freed first
        gc.collect()
        start = time.perf_counter()
        try:
            self.work = tables[table].rows[row](self.engine)
            check = [float(x) for x in self.work.check()]
        except Unfit as why:
            return {"note": str(why)}
        except Exception as error:
            return {"note": f"FAILED: {type(error).__name__}: {error}"}
        return {"check": check, "prepared": time.perf_counter() - start}

    def measure(self, seconds: float, least: int, warm: int, **_: Any) -> dict[str, Any]:
        if self.work.measure:
            return {"value": self.work.measure()}
        how = getattr(self.engine, "timed", timed)  # an engine on a GPU has clocks of its own
        found: dict[str, Any] = how(self.work.run, seconds, least, warm)
        return found


def main(engine: str, threads: int, home: str) -> None:
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is not an answer
    warnings.simplefilter("ignore")
    server = Server(engine, threads, home)
    answer: dict[str, Any] = server.about
    while True:
        print(json.dumps(answer), file=replies, flush=True)
        line = sys.stdin.readline()
        if not line:
            return
        request = json.loads(line)
        answer = getattr(server, request.pop("do"))(**request)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
