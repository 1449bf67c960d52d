"""The stages of a replay: each event in the same order of steps as in one process, none dropped, none overtaken."""
