"""The life of subscriptions, invoices and payments: what Stripe does by itself as time passes."""
