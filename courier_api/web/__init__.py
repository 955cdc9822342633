"""Pages for people: the map of the day, tracking."""
