"""What is kept of runs and sweeps, read without trust. No torch."""
