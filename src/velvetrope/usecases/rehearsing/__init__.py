"""What a look at everything would change, shown before it does."""
