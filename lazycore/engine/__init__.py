"""How a network and its linearisation are trained, and what is measured on the way."""
