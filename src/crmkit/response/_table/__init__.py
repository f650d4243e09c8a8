"""How the room reads its tables."""
