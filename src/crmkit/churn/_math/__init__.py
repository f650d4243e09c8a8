"""Numerics of the churn room: arrays in, arrays out, no tables."""
