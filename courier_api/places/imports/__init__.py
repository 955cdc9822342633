"""Loads the ground of any province from files: each file wholly or not at all, the same file twice changes nothing."""
