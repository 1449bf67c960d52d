"""A recipe as something that runs: built, driven, recorded, summed up."""
