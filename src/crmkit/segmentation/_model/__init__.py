"""Segments learned from behaviour."""
