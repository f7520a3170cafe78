"""Django's SQLite backend with writers that queue up fairly instead of starving one another."""
