"""Dossiers with their documents, postal items, tracking numbers and timeline."""
