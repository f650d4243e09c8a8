"""Numerics of the room: arrays in, arrays out."""
