"""Routing engines side by side: the same problems, the same travel times, the same judge."""
