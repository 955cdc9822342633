"""Communes, service points, address finding, roads for the map, and working days."""
