"""How good the detections are."""
