"""Tariffs, quotes, charges and vouchers."""
