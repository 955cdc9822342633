"""Persons, their roles, one-time codes, tokens and consents."""
