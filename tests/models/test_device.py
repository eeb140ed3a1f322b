import pytest
import torch

from shipdet.errors import InputError
from shipdet.models.device import choose_device, has_fast_bfloat16


def test_a_device_and_precision_asked_for_are_given() -> None:
    for precision, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        assert choose_device("cpu", precision) == (torch.device("cpu"), dtype)


def test_auto_takes_what_is_there_in_a_precision_that_it_has() -> None:
    chosen = choose_device()
    assert chosen.device.type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert (chosen.dtype == torch.bfloat16) == has_fast_bfloat16(chosen.device)


@pytest.mark.parametrize("name", ["cuda:99", "cuba", ""])
def test_a_device_that_is_not_there_is_refused_with_advice(name: str) -> None:
    with pytest.raises(InputError, match=r"try auto or cpu$") as caught:
        choose_device(name)
    assert str(caught.value).startswith(f"no device {name!r} here")
    assert "\n" not in str(caught.value)


def test_the_label_tells_threads_and_precision() -> None:
    assert choose_device("cpu", "bfloat16").label == f"cpu ({torch.get_num_threads()} threads), bfloat16"


def test_a_device_of_another_kind_has_no_fast_bfloat16() -> None:
    assert not has_fast_bfloat16(torch.device("meta"))
