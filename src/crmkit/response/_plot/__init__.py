"""The room's plots: one Axes each, drawn from tables the room made."""
