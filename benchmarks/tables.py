"""All tables by name."""

from benchmarks import epoch, imports, memory, operators, optimizers, steps
from benchmarks.table import Table

TABLES: dict[str, Table] = {
    "steps": steps.TABLE, "epoch": epoch.TABLE, "operators": operators.TABLE,
    "optimizers": optimizers.TABLE, "import": imports.TABLE, "memory": memory.TABLE}
