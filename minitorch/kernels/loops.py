"""A program spelled as one loop over elements, for a compiler.

Every array is read once and written once, and what lies between stays in registers. The arithmetic
is that of the array calls, in the dtype of the arrays and in the same order: nothing is fused or
reordered, so results are equal to the last bit.
"""

from __future__ import annotations

from typing import Any

from minitorch.spelling import numbers
from minitorch.symbols import Program, Symbol

SCALAR = {"add": "{} + {}", "subtract": "{} - {}", "multiply": "{} * {}", "divide": "{} / {}",
          "negative": "-{}", "sqrt": "np.sqrt({})", "abs": "abs({})", "sign": "np.sign({})",
          "maximum": "np.maximum({}, {})", "minimum": "np.minimum({}, {})",
          "greater": "{} > {}", "less": "{} < {}", "where": "{1} if {0} else {2}"}


def sources(program: Program) -> tuple[str, str]:
    """The texts of ``numbers(o)``, which gives the numbers of the loop, and of the loop.

    ``loop(c, *arrays)`` takes them as an array ``c`` of the arrays' dtype: a Python float would be
    a double, and make the arithmetic double.
    """
    steps = program.needed()
    lines, numeric = numbers(steps, program.options)
    names = {a: f"{a.name}_" for a in program.arrays}
    passed: dict[Any, str] = {}  # the numbers that the loop needs, and how ``numbers`` spells them
    body: list[str] = []
    for s in steps:
        if not s.array:
            continue
        for a in s.args:
            if a not in names:
                passed[a] = numeric[a] if isinstance(a, Symbol) else repr(a)
                names[a] = numeric.get(a, f"c_{len(passed)}")
        names[s] = f"a_{len(body)}"
        body.append(f"{names[s]} = " + SCALAR[s.op].format(*[names[a] for a in s.args]))
    loads = [f"{a.name}_ = {a.name}[i]" for a in program.arrays]
    own = {a.name: a for a in program.arrays}
    stores = [f"{name}[i] = {names[s]}" for name, s in program.results.items()
              if s is not own[name]]
    loop = [f"def loop(c, {', '.join(own)}):",
            *[f"    {names[a]} = c[{i}]" for i, a in enumerate(passed)],
            "    for i in range(x.size):",
            *[f"        {line}" for line in (*loads, *body, *stores)]]
    once = ["def numbers(o):", *lines, f"    return [{', '.join(passed.values())}]"]
    return "\n".join(once), "\n".join(loop)
