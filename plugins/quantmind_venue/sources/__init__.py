"""Where the market comes from: a recording, bars, or a random walk."""
