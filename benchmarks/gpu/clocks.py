"""The GPU's clocks while it works, as ``nvidia-smi`` reads them once a second; none is ever set."""

from __future__ import annotations

import statistics
import subprocess
import tempfile
from types import TracebackType

FIELDS = ("clocks.sm", "clocks.mem", "power.draw", "temperature.gpu")


class Clocks:
    """While entered it listens; ``since`` gives least, median and most since it was last asked."""

    def __init__(self) -> None:
        self.heard = tempfile.TemporaryFile("w+")
        self.process: subprocess.Popen[str] | None = None
        self.read = 0

    def __enter__(self) -> Clocks:
        try:
            self.process = subprocess.Popen(
                ["nvidia-smi", f"--query-gpu={','.join(FIELDS)}", "-i", "0",
                 "--format=csv,noheader,nounits", "-l", "1"],
                stdout=self.heard, stderr=subprocess.DEVNULL, text=True)
        except OSError:
            pass  # no such program: nothing will be heard
        return self

    def since(self) -> dict[str, list[float]]:
        self.heard.seek(0)
        lines = self.heard.read().splitlines()
        new, self.read = lines[self.read:], len(lines)
        found = {}
        for field, *texts in zip(FIELDS, *[line.split(",") for line in new]):
            values = [float(t) for t in texts if t.strip().replace(".", "", 1).isdigit()]
            if values:
                found[field] = [min(values), statistics.median(values), max(values)]
        return found

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait()
        self.heard.close()
