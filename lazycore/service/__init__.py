"""The queue of runs and sweeps, and whoever works it off."""
