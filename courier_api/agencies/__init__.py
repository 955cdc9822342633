"""Manifests handed to one-stop units, and their answers line by line."""
