"""What `quantmind doctor` looks at: one file for each thing."""
