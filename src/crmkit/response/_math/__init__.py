"""The room's numerics: arrays in, arrays or frozen dataclasses out; no tables."""
