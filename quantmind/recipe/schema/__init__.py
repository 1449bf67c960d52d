"""The JSON Schema of recipes: what editors and validators are told of everything that is installed."""
