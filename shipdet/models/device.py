"""Where a network runs, and how precisely."""

from typing import Literal, NamedTuple

import torch

from shipdet.errors import InputError

PrecisionName = Literal["auto", "float32", "bfloat16"]


class Device(NamedTuple):
    """A place to run and the precision to run in."""

    device: torch.device
    dtype: torch.dtype

    @property
    def label(self) -> str:
        """Words for the user: `cpu (2 threads), bfloat16`."""
        where = str(self.device)
        if self.device.type == "cpu":
            where = f"cpu ({torch.get_num_threads()} threads)"
        elif self.device.type == "cuda":
            where = torch.cuda.get_device_name(self.device)
        return f"{where}, {str(self.dtype).removeprefix('torch.')}"


def choose_device(name: str = "auto", precision: PrecisionName = "auto") -> Device:
    """The device by its torch name, or the best there is; bfloat16 where the hardware has it.

    Raises:
        InputError: a device that is not there.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"no device {name!r} here ({str(error).splitlines()[0]}); try auto or cpu") from None
    if precision == "auto":
        precision = "bfloat16" if has_fast_bfloat16(device) else "float32"
    return Device(device, torch.bfloat16 if precision == "bfloat16" else torch.float32)


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is computed in hardware there."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu" or not hasattr(torch.cpu, "get_capabilities"):
        return False
    capabilities = torch.cpu.get_capabilities()
    return any(bool(capabilities.get(flag)) for flag in ("avx512_bf16", "amx_bf16", "bf16"))


def autocast(device: Device) -> torch.autocast:
    """While the block lasts, what can be is computed in the device's precision."""
    return torch.autocast(device.device.type, device.dtype, enabled=device.dtype != torch.float32)
