"""Stripe, the database and the chats held against each other, and what differs settled."""
