"""Instruments, bars and indicators."""
