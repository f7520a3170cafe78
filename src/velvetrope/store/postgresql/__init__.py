"""Django's PostgreSQL backend, told what this product asks of a connection."""
