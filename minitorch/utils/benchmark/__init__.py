"""Time code as ``torch.utils.benchmark`` does: warmed up, repeated, with its spread.

A ``Timer`` runs a statement or a function, of minitorch, PyTorch or neither, and gives a
``Measurement``, or on a GPU host and device time apart; ``Compare`` lays several out as a table;
``save`` and ``load`` keep them as JSON with the machine they were made on, and ``python -m
minitorch.utils.benchmark compare old.json new.json`` prints what moved beyond the noise.

>>> from minitorch.utils.benchmark import Compare, Timer
>>> results = [Timer("x @ x", setup="x = torch.ones(n, n)", globals={"n": n}, label="product",
...                  sub_label="float32", description=f"n={n}").blocked_autorange(min_run_time=0.01)
...            for n in (2, 20)]
>>> print(Compare(results))
[-...- product -...-]
               |  n=2  |  n=20
1 threads: -...
      float32  |  ...  |  ...
<BLANKLINE>
Times are in microseconds (us).
<BLANKLINE>
"""

from minitorch.utils.benchmark.compare import Colorize as Colorize
from minitorch.utils.benchmark.compare import Compare as Compare
from minitorch.utils.benchmark.device import Apart as Apart
from minitorch.utils.benchmark.measurement import Measurement as Measurement
from minitorch.utils.benchmark.measurement import TaskSpec as TaskSpec
from minitorch.utils.benchmark.measurement import select_unit as select_unit
from minitorch.utils.benchmark.measurement import trim_sigfig as trim_sigfig
from minitorch.utils.benchmark.measurement import unit_to_english as unit_to_english
from minitorch.utils.benchmark.records import load as load
from minitorch.utils.benchmark.records import save as save
from minitorch.utils.benchmark.timing import Timer as Timer
from minitorch.utils.benchmark.timing import timer as timer
