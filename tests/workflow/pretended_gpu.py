"""Runs a program as if there were a GPU: `python pretended_gpu.py SCRIPT ...`, for machines that have none.

On the device `gpu` of this file, a tensor is one of the CPU that says that it is elsewhere. As on a real one, an
operation on tensors of both devices is refused (but for copies and for numbers without a dimension), and NumPy cannot
see them.
"""

import runpy
import sys
from pathlib import Path

import torch
from torch.overrides import TorchFunctionMode
from torch.utils import backend_registration
from torch.utils._mode_utils import no_dispatch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

DEVICE = "gpu"


class OnDevice(torch.Tensor):
    """A tensor on the device; `.values` are its numbers, on the CPU."""

    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, values: torch.Tensor):
        tensor = torch.Tensor._make_wrapper_subclass(
            cls, values.shape, strides=values.stride(), storage_offset=values.storage_offset(), dtype=values.dtype,
            device=f"{DEVICE}:0",
        )  # fmt: skip
        tensor.values = values
        return tensor

    @classmethod
    def __torch_dispatch__(cls, operation, types, args=(), kwargs=None):
        return operate(operation, args, kwargs or {})


def operate(operation, args, kwargs):
    """What torch calls for every operation below autograd."""
    tensors = [value for value in tree_leaves((args, kwargs)) if isinstance(value, torch.Tensor)]
    on_gpu = [value for value in tensors if isinstance(value, OnDevice)]
    name = operation.overloadpacket.__name__
    others = [value for value in tensors if not isinstance(value, OnDevice) and value.dim()]
    if on_gpu and others and name not in ("_to_copy", "copy_"):
        raise RuntimeError(f"{operation}: tensors on {DEVICE} and on cpu")

    def on_cpu(value):
        if isinstance(value, torch.device):
            return torch.device("cpu")
        return value.values if isinstance(value, OnDevice) else value

    def on_device(value):
        if not isinstance(value, torch.Tensor):
            return value
        same = [one for one in on_gpu if one.values is value]  # of an operation in place
        # A wrapper does not know of a conjugation that is still to be done.
        return same[0] if same else OnDevice(value.resolve_conj().resolve_neg())

    results = operation(*tree_map(on_cpu, args), **tree_map(on_cpu, kwargs))
    if torch.Tag.inplace_view in operation.tags and on_gpu:
        with no_dispatch():
            operation(*args, **kwargs)  # the wrapper's own shape
        return args[0]
    if kwargs.get("device") is not None:
        stays = torch.device(kwargs["device"]).type == DEVICE
    else:
        stays = isinstance(args[0], OnDevice) if name == "copy_" else bool(on_gpu)
    return tree_map(on_device, results) if stays else results


class _Operations(TorchDispatchMode):
    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        return operate(operation, args, kwargs or {})


class _Functions(TorchFunctionMode):
    """What Python functions of torch do that its operations do not show."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if function in (torch.tensor, torch.as_tensor) and not isinstance(args[0], OnDevice):
            return function(*args, **kwargs | {"device": None}).to(kwargs.get("device") or "cpu")
        if function is torch.as_tensor:
            return args[0].to(**kwargs)
        if function is torch.Tensor.tolist:
            return args[0].cpu().tolist()
        return function(*args, **kwargs)


def main() -> None:
    sys.argv = sys.argv[1:]
    sys.path.insert(0, str(Path(sys.argv[0]).resolve().parent))
    from audiopriors import runtime

    real = runtime.prepare

    def prepare(threads: int) -> torch.device:
        real(threads)
        runtime.current.device = "a pretended GPU"
        backend_registration._setup_privateuseone_for_python_backend(DEVICE)
        _Operations().__enter__()
        _Functions().__enter__()
        return torch.device(DEVICE)

    runtime.prepare = prepare
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
