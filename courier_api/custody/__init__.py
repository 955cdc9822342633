"""Handovers: who gave what to whom, append-only; the holder follows from them."""
