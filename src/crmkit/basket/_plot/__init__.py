"""Pictures of what is bought together."""
