"""One picture per function, from a table that another function made."""
