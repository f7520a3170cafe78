"""Many processes on one database: who runs which lane, and what happens when one of them dies."""
