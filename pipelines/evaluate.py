"""Scores of a model on labelled pictures: python pipelines/evaluate.py configs/evaluate_inshore.yaml."""

import sys

from shipdet.config import EvaluateConfig, load_config
from shipdet.errors import InputError, ShipdetError
from shipdet.evaluation.report import table, write_json
from shipdet.evaluation.run import evaluate
from shipdet.evaluation.summary import Evaluation


def main(path: str) -> Evaluation:
    """Scores as the config at `path` says, prints and returns what came of it, and writes it where it names a file."""
    config = load_config(path, EvaluateConfig)
    result = evaluate(config, lambda _done, _total: None)
    print(table(result))
    if config.json_output is not None:
        write_json(result, config.json_output)
    return result


if __name__ == "__main__":
    try:
        main(*sys.argv[1:2] or ["configs/evaluate_inshore.yaml"])
    except ShipdetError as error:
        print(f"{sys.argv[0]}: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, InputError) else 1)
