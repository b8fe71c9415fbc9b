"""A step on a GPU as one launch: recorded once, then replayed without Python."""

from collections.abc import Callable

import torch


def replayed(step: Callable[[], None], device: torch.device) -> Callable[[], None]:
    """Take this step once and return a function that takes it again, as one launch.

    The step must change tensors in place, take as given whatever else it reads, and not wait for
    the device. Some forty kernels of a step of gradient descent take 0.5 ms to launch one by one.
    """
    beside = torch.cuda.Stream(device)
    beside.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(beside):
        step()  # libraries set themselves up on their first call, which cannot be recorded
    torch.cuda.current_stream(device).wait_stream(beside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=beside, capture_error_mode="thread_local"):
        step()
    return graph.replay
