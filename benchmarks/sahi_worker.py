"""Sliced detection with an oriented YOLO, as SAHI does it: `python sahi_worker.py JOB.json RESULT.json`.

Like `yolo_worker.py` it runs in an environment of its own and imports nothing of shipdet; the fields of the two files
are those of `speed_worker.py`. The picture is read whole, cut into overlapping slices, each is looked at, and boxes
of several slices are merged by non-maximum suppression. The network's weights are random: speed is all that is asked.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"] = str(2**40)

import cv2
import numpy as np
import torch
from ultralytics import YOLO, settings
from ultralytics.utils.ops import xywh2xyxy

IOU = 0.5


def starts(length: int, side: int, step: int) -> list[int]:
    """Where slices begin along an axis; the last ends with the picture."""
    return sorted({min(first, max(length - side, 0)) for first in range(0, max(length - side, 0) + step, step)})


def find(path: str, model: Any, job: dict[str, Any]) -> int:
    """How many boxes are left of a picture."""
    picture, side = cv2.imread(path, cv2.IMREAD_COLOR), job["slice"]
    if picture is None:
        raise SystemExit(f"{path} cannot be read by OpenCV; write the scenes anew")
    step = round(side * (1 - job["overlap"]))
    boxes, scores = [np.zeros((0, 4))], [np.zeros(0)]
    for y in starts(picture.shape[0], side, step):
        for x in starts(picture.shape[1], side, step):
            part = np.ascontiguousarray(picture[y : y + side, x : x + side])
            found = model.predict(part, imgsz=side, device="cpu", verbose=False)[0].obb
            if found is not None and len(found):
                boxes.append(xywh2xyxy(found.xywhr[:, :4]).numpy() + np.array([x, y, x, y]))
                scores.append(found.conf.numpy())
    together, sure = np.concatenate(boxes), np.concatenate(scores)
    return len(cv2.dnn.NMSBoxes(together.tolist(), sure.tolist(), 0.0, IOU)) if len(sure) else 0


def peak_gb() -> float:
    """Of this process, as the kernel counts it."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return float(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024 / 1e9


def main() -> int:
    """Does the job: once on a small scene, which is not timed, and once on that which is."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    settings.update({"sync": False})
    torch.set_num_threads(job["threads"])
    model = YOLO(job["architecture"])
    find(job["warm_up"], model, job)
    began = time.perf_counter()
    find(job["scene"], model, job)
    result = {"seconds": time.perf_counter() - began, "memory_gb": peak_gb(), "opened": 1.0}
    Path(sys.argv[2]).write_text(json.dumps(result), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
