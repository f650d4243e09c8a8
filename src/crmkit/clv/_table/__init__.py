"""From the log to the tables of lifetime value."""
