"""From the log to pairs, itemsets and sequences."""
