"""The paid door to a Telegram channel."""
