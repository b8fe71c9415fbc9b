"""Methods that advance the two models in time, and judge each step."""
