"""From the log to the churn room's tables."""
