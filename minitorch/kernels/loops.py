"""A program spelled as one loop over elements, for a compiler.

Every array is read once and written once, and what lies between stays in registers. The arithmetic
is that of the array calls, in the dtype of the arrays and in the same order: nothing is fused or
reordered, so results are equal to the last bit.
"""

from __future__ import annotations

from minitorch.spelling import numbers
from minitorch.symbols import Program

SCALAR = {"add": "{} + {}", "subtract": "{} - {}", "multiply": "{} * {}", "divide": "{} / {}",
          "negative": "-{}", "sqrt": "np.sqrt({})", "abs": "abs({})", "sign": "np.sign({})",
          "maximum": "np.maximum({}, {})", "minimum": "np.minimum({}, {})",
          "greater": "{} > {}", "less": "{} < {}", "greater_equal": "{} >= {}",
          "less_equal": "{} <= {}", "equal": "{} == {}", "not_equal": "{} != {}",
          "logical_and": "{} and {}", "logical_or": "{} or {}", "logical_not": "not {}",
          "where": "{1} if {0} else {2}"}


def source(program: Program) -> str:
    """The text of ``loop(c, *arrays)``.

    ``c`` are the numbers in an array of the arrays' dtype: a Python float would be a double, and
    make the arithmetic double.
    """
    passed = numbers(program)[1]
    names = passed | {a: f"{a.name}_" for a in program.arrays}
    body: list[str] = []
    for s in program.needed():
        if s.array:
            names[s] = f"a_{len(body)}"
            body.append(f"{names[s]} = " + SCALAR[s.op].format(*[names[a] for a in s.args]))
    own = {a.name: a for a in program.arrays}
    loads = [f"{a.name}_ = {a.name}[i]" for a in program.arrays]
    stores = [f"{name}[i] = {names[s]}" for name, s in program.results.items()
              if s is not own[name]]
    return "\n".join([f"def loop(c, {', '.join(own)}):",
                      *[f"    {name} = c[{i}]" for i, name in enumerate(passed.values())],
                      "    for i in range(x.size):",
                      *[f"        {line}" for line in (*loads, *body, *stores)]])
