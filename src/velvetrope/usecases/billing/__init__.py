"""Stripe's events: each names an object, which is fetched again and applied as it is now."""
