"""The catalogue of administrative procedures and its versions."""
