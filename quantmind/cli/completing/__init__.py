"""What completes a line of a shell."""
