"""Shifts, plans, rounds and their stops."""
