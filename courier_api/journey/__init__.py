"""The whole story: every verb that touches several capabilities."""
