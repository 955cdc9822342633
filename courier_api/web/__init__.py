"""Pages for people: the map of the day, tracking, the API's page; vector tiles and the files that they load."""
