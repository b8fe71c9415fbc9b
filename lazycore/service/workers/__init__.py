"""Workers and their children: who computes what the queue holds."""
