"""What learns from customers whose end is known."""
