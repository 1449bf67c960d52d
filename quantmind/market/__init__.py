"""Instruments, bars, order books and indicators."""
