"""What the papers claim, prove and draw, each paper in a folder of its own."""
