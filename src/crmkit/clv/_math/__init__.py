"""Numerics of lifetime value: arrays in, arrays or frozen dataclasses out."""
