"""A look-alike of Stripe's API, hosted pages and webhooks that keeps everything in memory."""
