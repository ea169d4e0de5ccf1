"""PyTorch's functions that are more than one operator, or spelled in more than one way.

Each is also a method of Tensor where PyTorch has it so: ``@method`` hangs it there. Plain
operators come straight from the registry (``minitorch.methods``).
"""

from minitorch.functions import (
    arithmetic,
    choosing,
    comparing,
    joining,
    matrices,
    ordering,
    parts,
    reductions,
    shapes,
)
from minitorch.functions.arithmetic import *  # noqa: F403
from minitorch.functions.choosing import *  # noqa: F403
from minitorch.functions.common import FUNCTIONS as FUNCTIONS
from minitorch.functions.common import into as into
from minitorch.functions.common import method as method
from minitorch.functions.common import sizes as sizes
from minitorch.functions.comparing import *  # noqa: F403
from minitorch.functions.joining import *  # noqa: F403
from minitorch.functions.matrices import *  # noqa: F403
from minitorch.functions.ordering import *  # noqa: F403
from minitorch.functions.parts import *  # noqa: F403
from minitorch.functions.reductions import *  # noqa: F403
from minitorch.functions.shapes import *  # noqa: F403

__all__: list[str] = []
__all__ += arithmetic.__all__
__all__ += choosing.__all__
__all__ += comparing.__all__
__all__ += joining.__all__
__all__ += matrices.__all__
__all__ += ordering.__all__
__all__ += parts.__all__
__all__ += reductions.__all__
__all__ += shapes.__all__
