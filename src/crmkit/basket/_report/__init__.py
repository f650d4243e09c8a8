"""Tables that explain what is bought together."""
