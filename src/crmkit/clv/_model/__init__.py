"""The classes that learn: models of purchases, of contracts and of spend."""
