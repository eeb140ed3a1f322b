from pathlib import Path

import pytest

from shipdet.config import BatchConfig, DetectConfig, EvaluateConfig, TrainConfig, load_config
from shipdet.config_parts import BowClassifierConfig, ScaleHeadConfig, ScoutConfig, SharpenConfig, TypeClassifierConfig
from shipdet.errors import ConfigError

CONFIGS = Path(__file__).resolve().parents[1] / "configs"
DETECT = "scenes: [a.tif]\noutput: ships.gpkg\n"
TRAIN = "name: test\noutput: runs\nsteps: 10\n"


@pytest.fixture
def refuse(tmp_path: Path):
    """Loads a config that should be refused and gives the message."""

    def load(text: str, model: type = DetectConfig) -> str:
        path = tmp_path / "x.yaml"
        path.write_text(text)
        with pytest.raises(ConfigError) as caught:
            load_config(path, model)
        message = str(caught.value)
        assert message.startswith(f"{path}: ")
        assert "\n" not in message
        return message.removeprefix(f"{path}: ")

    return load


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_config_that_ships_is_valid(path: Path):
    workflow = path.stem.split("_")[0]
    models = {
        "detect": DetectConfig, "batch": BatchConfig, "train": TrainConfig, "scales": ScaleHeadConfig,
        "evaluate": EvaluateConfig, "scout": ScoutConfig, "sharpen": SharpenConfig, "bows": BowClassifierConfig,
        "types": TypeClassifierConfig,
    }  # fmt: skip
    model = models[workflow]
    assert isinstance(load_config(path, model), model)


def test_every_workflow_has_a_config_that_ships():
    workflows = {path.stem.split("_")[0] for path in CONFIGS.glob("*.yaml")}
    assert workflows == {"detect", "batch", "train", "scales", "scout", "sharpen", "bows", "types", "evaluate"}


def test_values_are_read_and_the_rest_has_defaults(tmp_path: Path):
    path = tmp_path / "detect.yaml"
    path.write_text(DETECT + "bands: [3, green, 1]\nthreshold: 0.25\npicture: ships.png\n")
    config = load_config(path, DetectConfig)
    assert config.scenes == ("a.tif",)
    assert config.output == Path("ships.gpkg")
    assert config.bands == (3, "green", 1)
    assert config.threshold == 0.25
    assert config.picture == Path("ships.png")
    assert (config.model, config.core, config.device, config.precision) == ("auto", 2048, "auto", "auto")


def test_a_list_among_the_scenes_is_the_bands_of_one_scene(tmp_path: Path):
    path = tmp_path / "detect.yaml"
    path.write_text("scenes: [a.tif, [B04.tif, B03.tif, B02.tif]]\noutput: ships.gpkg\n")
    assert load_config(path, DetectConfig).scenes == ("a.tif", ("B04.tif", "B03.tif", "B02.tif"))


def test_an_exponent_without_a_point_is_a_number(tmp_path: Path):
    """YAML 1.1 takes 1e-3 for text."""
    path = tmp_path / "train.yaml"
    path.write_text(TRAIN + "inshore: data\nlearning_rate: 1e-3\n")
    assert load_config(path, TrainConfig).learning_rate == 0.001


def test_the_scores_file_goes_by_the_key_json(tmp_path: Path):
    path = tmp_path / "evaluate.yaml"
    path.write_text("civil: data\njson: scores.json\n")
    assert load_config(path, EvaluateConfig).json_output == Path("scores.json")


def test_configs_cannot_be_changed():
    config = DetectConfig(scenes=("a.tif",), output=Path("ships.gpkg"))
    with pytest.raises(ValueError, match="frozen"):
        config.threshold = 0.5


def test_an_unknown_key_names_the_nearest_known_one(refuse):
    assert refuse(DETECT + "treshold: 0.5") == "unknown key 'treshold'; did you mean 'threshold'?"


def test_an_unknown_key_like_no_other_names_all_keys(refuse):
    message = refuse(DETECT + "zoom: 3")
    assert message.startswith("unknown key 'zoom'; the keys are scenes, output, ")


def test_an_unknown_key_may_be_no_text_at_all(refuse):
    assert refuse("1: 2").startswith("unknown key 1; ")


def test_the_inner_name_of_a_key_is_unknown(refuse):
    assert refuse("civil: data\njson_output: a.json", EvaluateConfig).startswith("unknown key 'json_output'")


def test_a_missing_key_is_named_with_what_it_should_hold(refuse):
    assert refuse("output: ships.gpkg") == "missing key 'scenes'; expected a list of one scene or more"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("threshold: high", "threshold: expected a number from 0 to 1, got 'high'"),
        ("threshold: 1.5", "threshold: expected a number from 0 to 1, got 1.5"),
        ("threshold: yes", "threshold: expected a number from 0 to 1, got True"),
        ("threshold: .nan", "threshold: expected a number from 0 to 1, got nan"),
        ("precision: half", "precision: expected one of auto, float32, bfloat16, got 'half'"),
        ("bands: 5", "bands: expected a list of band numbers (from 1) or descriptions, got 5"),
        ("bands: [0]", "bands: expected a list of band numbers (from 1) or descriptions, got [0]"),
        ("core: 0", "core: expected a tile's side in pixels of the model, above 0, got 0"),
        ("picture: 3", "picture: expected a PNG file, or a folder where there are several scenes, got 3"),
    ],
)
def test_a_bad_value_is_shown_beside_what_was_expected(refuse, line: str, message: str):
    assert refuse(DETECT + line) == message


def test_training_on_nothing_is_refused(refuse):
    assert "nothing to learn from" in refuse(TRAIN, TrainConfig)


def test_training_on_drawn_harbours_alone_is_possible(tmp_path: Path):
    path = tmp_path / "train.yaml"
    path.write_text(TRAIN + "synthetic_share: 1")
    assert load_config(path, TrainConfig).synthetic_share == 1


@pytest.mark.parametrize("text", ["split: validation", "inshore: a\ncivil: b"])
def test_evaluation_takes_exactly_one_data_set(refuse, text: str):
    assert "expected one data set" in refuse(text, EvaluateConfig)


@pytest.mark.parametrize("text", ["", "- a\n- b", "just text"])
def test_a_file_without_keys_is_refused(refuse, text: str):
    assert refuse(text).startswith("expected lines of 'key: value', got ")


def test_what_is_not_yaml_is_told_with_its_line(refuse):
    assert refuse("scenes: [a.tif]\noutput: b: c") == "not YAML at line 2: mapping values are not allowed here"


def test_what_yaml_cannot_hold_is_told(refuse):
    assert refuse("a\0").startswith("not YAML: ")


def test_a_file_that_is_not_text_is_told(tmp_path: Path):
    path = tmp_path / "x.yaml"
    path.write_bytes(b"II*\x00\xff\xfe\x80")
    with pytest.raises(ConfigError, match="not text"):
        load_config(path, DetectConfig)


def test_a_missing_config_is_told(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: no such config"):
        load_config(tmp_path / "nowhere.yaml", DetectConfig)


def test_a_folder_instead_of_a_config_is_told(tmp_path: Path):
    with pytest.raises(ConfigError, match="expected a YAML file that can be read"):
        load_config(tmp_path, DetectConfig)


@pytest.mark.parametrize("gsd", ["unknown", 0.5])
def test_a_ground_pixel_is_a_number_or_unknown(gsd: float | str, tmp_path: Path):
    path = tmp_path / "x.yaml"
    path.write_text(f"civil: data\ngsd_m: {gsd}\n")
    assert load_config(path, EvaluateConfig).gsd_m == gsd


def test_another_word_for_a_ground_pixel_is_refused(refuse):
    message = refuse("civil: data\ngsd_m: dunno\n", EvaluateConfig)
    assert message == "gsd_m: expected metres per pixel, above 0, or unknown, got 'dunno'"


def test_a_range_of_scales_begins_with_the_least(tmp_path: Path):
    path = tmp_path / "config.yaml"
    path.write_text("name: x\noutput: runs\nsteps: 1\nsynthetic_share: 1\nscale: [2.0, 0.5]\n")
    with pytest.raises(ConfigError, match=r"scale: expected the least first, got 2 and 0\.5"):
        load_config(path, TrainConfig)
    path.write_text("name: x\noutput: runs\nsteps: 1\nsynthetic_share: 1\nscale: [0.9, 1.1]\n")
    assert load_config(path, TrainConfig).scale == (0.9, 1.1)


def test_attention_for_the_trunk_is_one_that_there_is(refuse, tmp_path: Path):
    message = refuse(TRAIN + "inshore: data\ntrunk_attention: sa\n", TrainConfig)
    assert message == "trunk_attention: expected one of none, residual, se, eca, cbam, got 'sa'"
    path = tmp_path / "train.yaml"
    path.write_text(TRAIN + "inshore: data\n")
    assert load_config(path, TrainConfig).trunk_attention == "none"


@pytest.mark.parametrize("kind", ["residual", "se", "eca", "cbam"])
def test_configs_of_trunks_with_attention_differ_from_the_plain_one_in_nothing_else(kind: str):
    plain = load_config(CONFIGS / "train_inshore.yaml", TrainConfig)
    config = load_config(CONFIGS / f"train_{kind}_trunk.yaml", TrainConfig)
    assert config == plain.model_copy(update={"name": f"{kind}-trunk", "trunk_attention": kind})
