"""Networks, their losses, and how their output becomes points."""
