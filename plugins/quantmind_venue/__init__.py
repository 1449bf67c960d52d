"""A venue on your own machine that speaks Binance USD-M: for any bot, offline, with the faults it must live through."""
