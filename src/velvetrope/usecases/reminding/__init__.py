"""What people are reminded of before it happens: planned, searched for, said, held to the facts."""
