"""The word of the operator: a local socket of the running account, or the record of a stopped one."""
