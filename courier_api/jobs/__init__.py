"""Courier work: one pickup or delivery to be done, its attempts and outcome."""
