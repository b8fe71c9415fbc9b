"""What is known without a run: rates and bounds, slopes with intervals, level lines. numpy only."""
