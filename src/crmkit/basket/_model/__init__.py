"""What learns: the next best item."""
