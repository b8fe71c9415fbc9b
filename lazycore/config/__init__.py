"""Everything that can be chosen of a run or a sweep, and what it costs. No torch."""
