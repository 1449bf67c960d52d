"""The groups of entry points that plugins come in by; it imports nothing, as `quantmind --help` reads them too."""

from __future__ import annotations

GROUP = "quantmind"
"""The modules that register components: an entry point's name is that of a component."""
COMMANDS = "quantmind.commands"
"""The names of commands, and the click commands they stand for."""
OWN = "quantmind"
"""The distribution that is QuantMind itself, with the plugins that come with it."""
