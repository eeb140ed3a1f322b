"""Trains an oriented YOLO from scratch and looks at pictures with it: `python yolo_worker.py JOB.json RESULT.json`.

The only file that imports ultralytics (AGPL-3.0). It runs in an environment of its own, imports nothing of shipdet,
and is given and gives nothing but the two files, whose fields `against_yolo.py` describes.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
from ultralytics import YOLO, settings

MANY_EPOCHS = 100
"""A first guess only: after each epoch, ultralytics guesses anew how many fit into the time."""
FAINTEST, AT_MOST = 0.01, 1000
"""Lowest score of a box, and boxes a picture"""


def train(job: dict[str, Any], counted: dict[str, float]) -> Any:
    """A model trained for `job["minutes"]`; `counted` gets its samples and minutes."""

    def begin(_: Any) -> None:
        torch.set_num_threads(job["threads"])
        counted["began"] = time.perf_counter()

    def count(trainer: Any) -> None:
        counted["seen"] += trainer.batch_size
        counted["minutes"] = (time.perf_counter() - counted["began"]) / 60

    model = YOLO(job["architecture"])
    model.add_callback("on_train_start", begin)
    model.add_callback("on_train_batch_end", count)
    model.train(
        data=job["data"],
        epochs=MANY_EPOCHS,
        time=job["minutes"] / 60,
        imgsz=job["imgsz"],
        batch=job["batch"],
        seed=job["seed"],
        amp=False,
        project=job["folder"],
        name="yolo",
        device="cpu",
        pretrained=False,
        cache="ram",
        val=False,
        plots=False,
        verbose=False,
        **job["options"],
    )
    return YOLO(Path(job["folder"]) / "yolo" / "weights" / "last.pt")


def look(model: Any, job: dict[str, Any]) -> list[dict[str, Any]]:
    """Boxes of each picture, as four corners, with their scores."""
    torch.set_num_threads(job["threads"])
    found = []
    for picture in job["pictures"]:
        boxes = model.predict(picture, imgsz=job["imgsz"], conf=FAINTEST, max_det=AT_MOST, device="cpu", verbose=False)[
            0
        ].obb
        found.append({"corners": boxes.xyxyxyxy.tolist(), "score": boxes.conf.tolist()})
    return found


def main() -> int:
    """Does the job."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    settings.update({"sync": False})
    counted = {"began": 0.0, "seen": 0.0, "minutes": 0.0}
    model = train(job, counted)
    began = time.perf_counter()
    result = {"minutes": counted["minutes"], "seen": int(counted["seen"]), "found": look(model, job)}
    result["look_seconds"] = time.perf_counter() - began
    Path(sys.argv[2]).write_text(json.dumps(result), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
