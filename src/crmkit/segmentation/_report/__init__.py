"""Tables that judge and explain segments and customer profit."""
