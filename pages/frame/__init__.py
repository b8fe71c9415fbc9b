"""What is around every page: its look, its address, the way back."""
