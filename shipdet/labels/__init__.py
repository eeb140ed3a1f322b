"""Ships that people have marked, whatever file they come in."""
