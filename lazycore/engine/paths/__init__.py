"""A network and its twin from 0 to the end."""
