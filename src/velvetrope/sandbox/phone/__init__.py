"""The phone in the browser: what a person sees of the simulated Telegram."""
