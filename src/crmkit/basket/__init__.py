"""Basket."""
