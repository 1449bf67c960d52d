"""The stages of a live pipeline: each may stop and start again while the others go on."""
