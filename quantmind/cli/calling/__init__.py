"""One call of the command, from the arguments to the exit code: its group, its errors, its signals."""
