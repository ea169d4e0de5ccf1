"""``minitorch.cuda``: the NVIDIA GPU through CuPy, and sensible answers where there is none.

Random tensors are drawn by the CPU's generator wherever they live, so that a program gives the same
numbers on either device; see ``cuda.random`` for what the GPU draws itself.

Operators run on the current device and stream: tensors of another GPU are used inside
``with cuda.device(1):``.
"""

from minitorch.cuda import devices, dropout, graphs, memory, random, steps, streams, syncs
from minitorch.cuda.devices import can_device_access_peer as can_device_access_peer
from minitorch.cuda.devices import current_device as current_device
from minitorch.cuda.devices import device as device
from minitorch.cuda.devices import device_count as device_count
from minitorch.cuda.devices import device_of as device_of
from minitorch.cuda.devices import get_device_capability as get_device_capability
from minitorch.cuda.devices import get_device_name as get_device_name
from minitorch.cuda.devices import get_device_properties as get_device_properties
from minitorch.cuda.devices import init as init
from minitorch.cuda.devices import is_available as is_available
from minitorch.cuda.devices import is_bf16_supported as is_bf16_supported
from minitorch.cuda.devices import is_initialized as is_initialized
from minitorch.cuda.devices import set_device as set_device
from minitorch.cuda.devices import synchronize as synchronize
from minitorch.cuda.graphs import CUDAGraph as CUDAGraph
from minitorch.cuda.graphs import graph as graph
from minitorch.cuda.graphs import graph_pool_handle as graph_pool_handle
from minitorch.cuda.graphs import is_current_stream_capturing as is_current_stream_capturing
from minitorch.cuda.memory import empty_cache as empty_cache
from minitorch.cuda.memory import max_memory_allocated as max_memory_allocated
from minitorch.cuda.memory import max_memory_reserved as max_memory_reserved
from minitorch.cuda.memory import mem_get_info as mem_get_info
from minitorch.cuda.memory import memory_allocated as memory_allocated
from minitorch.cuda.memory import memory_reserved as memory_reserved
from minitorch.cuda.memory import memory_stats as memory_stats
from minitorch.cuda.memory import reset_peak_memory_stats as reset_peak_memory_stats
from minitorch.cuda.random import get_rng_state as get_rng_state
from minitorch.cuda.random import get_rng_state_all as get_rng_state_all
from minitorch.cuda.random import initial_seed as initial_seed
from minitorch.cuda.random import manual_seed as manual_seed
from minitorch.cuda.random import manual_seed_all as manual_seed_all
from minitorch.cuda.random import seed as seed
from minitorch.cuda.random import seed_all as seed_all
from minitorch.cuda.random import set_rng_state as set_rng_state
from minitorch.cuda.random import set_rng_state_all as set_rng_state_all
from minitorch.cuda.steps import make_graphed_callables as make_graphed_callables
from minitorch.cuda.steps import make_graphed_step as make_graphed_step
from minitorch.cuda.streams import Event as Event
from minitorch.cuda.streams import Stream as Stream
from minitorch.cuda.streams import StreamContext as StreamContext
from minitorch.cuda.streams import current_stream as current_stream
from minitorch.cuda.streams import default_stream as default_stream
from minitorch.cuda.streams import set_stream as set_stream
from minitorch.cuda.streams import stream as stream
from minitorch.cuda.syncs import get_sync_debug_mode as get_sync_debug_mode
from minitorch.cuda.syncs import set_sync_debug_mode as set_sync_debug_mode

__all__ = ["devices", "dropout", "graphs", "memory", "random", "steps", "streams", "syncs"]
