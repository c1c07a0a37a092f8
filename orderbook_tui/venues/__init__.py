"""Venues: where orders go."""
