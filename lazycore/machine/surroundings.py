"""A computation knows nothing of what its caller has set in torch.

A training script may be under `torch.autocast` or `torch.no_grad`, have another default device,
and let matrices of float32 be multiplied in fewer digits. None of it may change a number here:
errors are said of the precision that is asked for.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, TypeVar

import torch

from lazycore.machine.threads import threads

T = TypeVar("T")


@contextmanager
def apart(device: torch.device, count: int = 1) -> Iterator[None]:
    """Compute on `device` with so many threads, with gradients, without autocast, with all digits
    of float32, and with no other device by default than this one or the CPU; then all is as it
    was."""
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        if torch.amp.is_autocast_available(device.type):
            stack.enter_context(torch.autocast(device.type, enabled=False))
        if torch.get_default_device().type not in ("cpu", device.type):  # each call pays for this
            stack.enter_context(torch.device("cpu"))
        stack.enter_context(_all_digits(device))
        stack.enter_context(threads(count))
        yield


def each_apart(
    items: Iterator[T], surroundings: Callable[[], AbstractContextManager[Any]]
) -> Iterator[T]:
    """Yield these items, each computed in `surroundings()`; whoever iterates is back in what is
    theirs at every one, and may stop at any time."""
    try:
        while True:
            with surroundings():
                try:
                    item = next(items)
                except StopIteration:
                    return
            yield item
    finally:
        close = getattr(items, "close", None)
        if close is not None:
            close()


@contextmanager
def _all_digits(device: torch.device) -> Iterator[None]:
    """Have products and convolutions of float32 keep its digits: some hardware offers fewer."""
    with ExitStack() as stack:
        try:
            precision = torch.get_float32_matmul_precision()
            short = torch.backends.cudnn.allow_tf32
        except RuntimeError:  # set place by place, which torch does not let be mixed with this
            precision, short = "highest", False
        if precision != "highest":
            torch.set_float32_matmul_precision("highest")
            stack.callback(torch.set_float32_matmul_precision, precision)
        if short and device.type == "cuda":
            torch.backends.cudnn.allow_tf32 = False
            stack.callback(setattr, torch.backends.cudnn, "allow_tf32", True)
        mkldnn: Any = torch.backends.mkldnn
        for place in (mkldnn.matmul, mkldnn.conv):
            if place.fp32_precision not in ("none", "ieee"):
                stack.callback(setattr, place, "fp32_precision", place.fp32_precision)
                place.fp32_precision = "ieee"
        yield
