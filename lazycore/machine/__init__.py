"""What a computation takes of its machine: threads, processes, the library that multiplies."""
