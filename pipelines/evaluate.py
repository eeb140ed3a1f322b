"""Scores of a model on labelled pictures: python pipelines/evaluate.py configs/evaluate_inshore.yaml."""

import sys

from shipdet.config import EvaluateConfig, load_config
from shipdet.errors import InputError, ShipdetError
from shipdet.evaluation.metrics import Scores
from shipdet.evaluation.report import table, write_json
from shipdet.evaluation.run import evaluate


def main(path: str) -> Scores:
    """Scores as the config at `path` says, prints and returns the scores, and writes them where it names a file."""
    config = load_config(path, EvaluateConfig)
    scores = evaluate(config, lambda _done, _total: None)
    print(table(scores))
    if config.json_output is not None:
        write_json(scores, config.json_output)
    return scores


if __name__ == "__main__":
    try:
        main(*sys.argv[1:2] or ["configs/evaluate_inshore.yaml"])
    except ShipdetError as error:
        print(f"{sys.argv[0]}: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, InputError) else 1)
