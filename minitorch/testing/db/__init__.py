"""What the package can do, as data that generic tests are parametrised with.

``op_db``, ``module_db`` and ``optim_db`` hold an entry for every operator, layer and optimizer:
its name (PyTorch's), and strategies for calls, arguments and options that are valid. The
package's own laws are tests over them; others can hold their code, or their library of PyTorch's
names, to laws of their own.
"""

from minitorch.testing.db.cases import Case, choices, parameter
from minitorch.testing.db.database import Database, Entry
from minitorch.testing.db.modules import Layer, LayerClass, module_db
from minitorch.testing.db.operators import Operator, op_db
from minitorch.testing.db.optimizers import Optimizer, optim_db

__all__ = ["Case", "Database", "Entry", "Layer", "LayerClass", "Operator", "Optimizer", "choices",
           "module_db", "op_db", "optim_db", "parameter"]
