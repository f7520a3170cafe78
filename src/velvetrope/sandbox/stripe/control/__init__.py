"""The control API: what Stripe's dashboard, banks and time itself would do."""
