"""A Telegram and a Stripe to play with; nothing here talks to the real services."""
