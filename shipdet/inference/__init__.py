"""From a scene to georeferenced detections."""
