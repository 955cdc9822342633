"""Where couriers are: what their phones send, kept only while they are on duty, and for thirty days."""
