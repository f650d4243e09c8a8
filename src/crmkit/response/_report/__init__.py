"""Tables that judge, explain and decide."""
