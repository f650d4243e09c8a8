"""Tables of customers: what they did, what they are worth, which segment they belong to."""
