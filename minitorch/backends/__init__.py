"""``minitorch.backends``: the switches that programs set, one module per library."""

from minitorch.backends import cuda as cuda
from minitorch.backends import cudnn as cudnn
from minitorch.backends import mps as mps
from minitorch.backends import numba as numba
