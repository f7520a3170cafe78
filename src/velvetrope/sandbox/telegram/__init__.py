"""A Bot API to play with: people, chats and bots in memory, behind the vendor's own surface."""
