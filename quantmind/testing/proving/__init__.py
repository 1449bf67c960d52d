"""How the checks of `quantmind.testing` prove what they say: examples, watching, other days and other processes.

It is QuantMind's own business: what authors need of it is in `quantmind.testing`.
"""
