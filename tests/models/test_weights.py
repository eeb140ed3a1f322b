import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from shipdet.errors import OutputError, WeightsError
from shipdet.models import weights
from shipdet.models.task_partition import TaskPartition
from shipdet.models.weights import Card, Model, Scores, build_network, load_weights, save_weights

CARD = Card(
    name="tiny",
    width=64,
    context=48,
    blocks=2,
    gsd_m=1.5,
    bands=("red", "green", "blue"),
    normalisation="scene percentiles",
    classes=("background", "hull", "end"),
    gate_threshold=0.1,
    score_threshold=0.3,
    trained_on=("drawn harbours",),
    terms="none",
    steps=7,
    scores=(
        Scores(
            split="inshore validation", ships=3, ap=0.5, f1=0.6, precision=0.7, recall=0.5, heading_accuracy=1.0,
            length_error=0.02, gate_recall=0.99,
        ),
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def saved(network: TaskPartition, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_weights(path, Model(network, CARD))
    return path


def refusal(name: Path | str) -> str:
    with pytest.raises(WeightsError) as caught:
        load_weights(str(name))
    message = str(caught.value)
    assert "\n" not in message
    assert str(name) in message
    return message


def test_a_round_trip_keeps_the_card_and_values_to_half_precision(saved: Path, network: TaskPartition) -> None:
    model = load_weights(str(saved))
    assert model.card == CARD
    loaded = model.network.state_dict()
    for name, value in network.state_dict().items():
        torch.testing.assert_close(loaded[name], value, rtol=1e-3, atol=1e-6)
        assert loaded[name].dtype == value.dtype


def test_a_loaded_network_says_what_the_saved_one_said(saved: Path, network: TaskPartition) -> None:
    model = load_weights(str(saved))
    assert not model.network.training
    pixels = torch.randn((1, 3, 64, 64), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        before, after = network(pixels), model.network(pixels)
    torch.testing.assert_close(after.coarse.logits, before.coarse.logits, rtol=0, atol=0.02)
    torch.testing.assert_close(after.ends, before.ends, rtol=0, atol=0.05)


def test_a_file_of_the_shipped_size_is_small(saved: Path) -> None:
    assert saved.stat().st_size < 15_000_000
    assert {t.dtype for t in load_file(saved).values() if t.is_floating_point()} == {torch.float16}


def test_weights_that_ship_are_found_by_name(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "FOLDER", saved.parent)
    assert load_weights("tiny").card == CARD
    assert refusal("small").endswith("expected a .safetensors file or the name of shipped ones (tiny)")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert "no weights" in refusal(tmp_path / "none.safetensors")
    assert "no weights" in refusal(tmp_path)


def test_a_pickle_is_refused_and_not_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.mkdir, (tmp_path / "sprung",)

    path = tmp_path / "trap.safetensors"
    path.write_bytes(pickle.dumps(Trap()))
    assert "no shipdet weights file" in refusal(path)
    assert not (tmp_path / "sprung").exists()


def test_a_torch_checkpoint_is_refused(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(2)}, tmp_path / "last.ckpt")
    assert "no shipdet weights file" in refusal(tmp_path / "last.ckpt")


@pytest.mark.parametrize("content", [b"", b"hello, this is no file of weights\nbut text", b"\x08"])
def test_what_is_no_safetensors_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    assert "no shipdet weights file" in refusal(path)


def test_a_file_cut_short_is_refused(saved: Path, tmp_path: Path) -> None:
    path = tmp_path / "short.safetensors"
    path.write_bytes(saved.read_bytes()[:-100])
    assert "no shipdet weights file" in refusal(path)


@pytest.mark.parametrize("metadata", [None, {"author": "someone"}])
def test_safetensors_without_a_card_are_refused(tmp_path: Path, metadata: dict[str, str] | None) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"a": torch.zeros(2)}, path, metadata=metadata)
    assert "holds no shipdet card" in refusal(path)


@pytest.mark.parametrize(
    "card",
    ["{", "[]", "{}", CARD.model_copy(update={"format": 2}).model_dump_json(warnings=False)],
    ids=["no JSON", "a list", "nothing", "a later format"],
)
def test_a_card_that_cannot_be_read_is_refused(tmp_path: Path, card: str) -> None:
    path = tmp_path / "card.safetensors"
    save_file({"a": torch.zeros(2)}, path, metadata={"shipdet": card})
    assert "no shipdet weights file" in refusal(path)


@pytest.mark.parametrize("width", [32, -1, 0], ids=["narrower", "negative", "none"])
def test_tensors_that_do_not_fit_the_card_are_refused(network: TaskPartition, tmp_path: Path, width: int) -> None:
    path = tmp_path / "misfit.safetensors"
    save_weights(path, Model(network, CARD.model_copy(update={"width": width})))
    refusal(path)


def test_missing_and_strange_tensors_are_refused(saved: Path, tmp_path: Path) -> None:
    metadata, path = {"shipdet": CARD.model_dump_json()}, tmp_path / "misfit.safetensors"
    less, more = load_file(saved), {**load_file(saved), "extra": torch.zeros(2)}
    del less["shallow.head.weight"]
    for state in (less, more):
        save_file(state, path, metadata=metadata)
        assert "its tensors do not fit the network of its card" in refusal(path)


def test_weights_are_written_whole_or_not_at_all(
    network: TaskPartition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fills_the_disk(_: object, path: str, metadata: dict[str, str]) -> None:
        Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(weights, "save_file", fills_the_disk)
    path = tmp_path / "tiny.safetensors"
    path.write_bytes(b"old")
    with pytest.raises(OutputError, match="No space left on device"):
        save_weights(path, Model(network, CARD))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_network_is_built_as_its_card_says() -> None:
    assert build_network(CARD.model_copy(update={"width": 16})).deep.classes.in_channels == 16


def test_a_network_rounded_to_half_is_the_one_that_is_loaded_again(tmp_path: Path) -> None:
    rounded = weights.round_to_half(build_network(CARD))
    save_weights(tmp_path / "rounded.safetensors", Model(rounded, CARD))
    loaded = load_weights(str(tmp_path / "rounded.safetensors")).network.state_dict()
    for name, value in rounded.state_dict().items():
        assert torch.equal(loaded[name], value), name


@pytest.mark.parametrize("kind", ["residual", "se", "eca", "cbam"])
def test_attention_in_the_trunk_comes_back_as_the_card_says(kind: str, tmp_path: Path) -> None:
    card = Card.model_validate(CARD.model_dump() | {"trunk_attention": kind})
    network = build_network(card)
    save_weights(tmp_path / "tiny.safetensors", Model(network, card))
    model = load_weights(str(tmp_path / "tiny.safetensors"))
    assert model.card.trunk_attention == kind
    loaded = model.network.state_dict()
    assert any("attend" in name for name in loaded)
    for name, value in network.state_dict().items():
        torch.testing.assert_close(loaded[name], value, rtol=1e-3, atol=1e-6)


def test_weights_from_before_trunks_had_attention_have_none() -> None:
    old = CARD.model_dump(exclude={"trunk_attention"})
    assert Card.model_validate(old).trunk_attention == "none"
    assert load_weights("inshore-vhr").card.trunk_attention == "none"
