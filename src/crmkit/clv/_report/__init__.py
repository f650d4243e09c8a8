"""Tables that judge models and turn them into money."""
