"""All tables by name, in the order in which they are measured."""

from benchmarks.gpu import epochs, floors, operators, steps
from benchmarks.table import Table

TABLES: dict[str, Table] = {
    "floors": floors.TABLE, "steps": steps.TABLES["steps"], "epochs": epochs.TABLE,
    "sizes": steps.TABLES["sizes"], "steps-tf32": steps.TABLES["steps-tf32"],
    "compiled": steps.TABLES["compiled"], "operators": operators.TABLE,
    "sizes-tf32": steps.TABLES["sizes-tf32"]}
