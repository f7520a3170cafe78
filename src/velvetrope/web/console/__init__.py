"""The console: Django's admin in Unfold's look, over the same use cases as everything else."""
