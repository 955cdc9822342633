"""Tests of the pages, tiles and files that a browser meets."""
