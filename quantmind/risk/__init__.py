"""Sums of risk: Kelly, stops, sizes, liquidation, ruin. Pure, for rules and for the command line alike."""
