"""What is shown in the terminal: with colours and a bar if Rich is installed, else plain text.

In a pipe or a file there are neither control codes nor a bar.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any

Piece = str | tuple[str, str]  # a text, or a text and its style


class Screen:
    """A terminal to write lines to, and one line below them that can be taken back.

    >>> Screen().show("  cost ", ("0.25", "bold"))
      cost 0.25
    """

    def __init__(self) -> None:
        self.console: Any = None
        self.status: Any = None
        try:
            from rich.console import Console
        except ImportError:
            return
        self.console = Console(highlight=False)

    @property
    def live(self) -> bool:
        """Whether something that moves can be shown."""
        return self.console is not None and self.console.is_terminal

    def show(self, *pieces: Piece) -> None:
        """Print one line."""
        if self.console is None:
            print("".join(p if isinstance(p, str) else p[0] for p in pieces).rstrip(), flush=True)
        else:
            from rich.text import Text

            text = Text.assemble(*pieces)
            text.rstrip()
            self.console.print(text, soft_wrap=True)

    def busy(self, what: str) -> None:
        """Say in the line below what is going on; an empty text takes it back."""
        if not self.live:
            return
        if self.status is None and what:
            self.status = self.console.status(what, refresh_per_second=4)
            self.status.start()
        elif what:
            self.status.update(what)
        elif self.status is not None:
            self.status.stop()
            self.status = None


class Bar:
    """A progress bar over all batches of all epochs; nothing where nothing can move.

    It is drawn at most five times a second, in the thread that trains, so that it costs next to
    nothing: a tick in between adds one and looks at the clock.
    """

    every = 0.2

    def __init__(self, screen: Screen, epochs: int, batches: int) -> None:
        self.epochs, self.batches = epochs, batches
        self.done = 0
        self.due = 0.0
        self.progress: Any = None
        self.note, self.what = "", "epoch"
        if screen.live:
            from rich import progress

            self.progress = progress.Progress(
                progress.TextColumn("  {task.description}"),
                progress.BarColumn(bar_width=40),
                progress.TextColumn("{task.percentage:>3.0f}%"),
                progress.TextColumn("[dim]{task.fields[note]}"),
                progress.TimeRemainingColumn(compact=True),
                console=screen.console,
                auto_refresh=False,
                transient=True,
            )
            self.task = self.progress.add_task(f"{self.what} 1 of {epochs}", total=epochs * batches,
                                               note="")

    def tick(self) -> None:
        """One more batch is done."""
        self.done += 1
        if self.progress is None or (now := time.perf_counter()) < self.due:
            return
        self.due = now + self.every
        epoch = min(self.epochs, self.done // self.batches + 1)
        self.progress.update(self.task, completed=self.done, note=self.note,
                             description=f"{self.what} {epoch} of {self.epochs}", refresh=True)

    def __enter__(self) -> Bar:
        if self.progress is not None:
            self.progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.progress is not None:
            self.progress.stop()
