"""The pages as a real browser shows them."""
