"""What our own programs do before they compute, so that timings in a benchmark's process are
theirs; the other sides of a benchmark are processes of their own. To be imported first."""

import benchmarks._pools  # noqa: F401  # before numpy comes
from lazycore.machine.processes import keep_freed_memory

keep_freed_memory()
