"""Who must be told what, and the senders that tell it."""
