"""A recipe that doctors look at; who wants sinks adds them."""

RECIPE = """\
name: served
instruments: [BTC/USDT:USDT]
feeds: [{synthetic: {}}]
strategies: [{momentum: {interval: 1m, rsi: 14, fast: 12, slow: 26}}]
allocator: equal_weight
risk: {sizing: [{fixed_quantity: {quantity: 10}}]}
executor: paper
"""
