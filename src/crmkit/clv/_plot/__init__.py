"""Pictures of lifetime value; each draws a table that another function made."""
