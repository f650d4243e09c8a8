"""The room's models."""
