"""The pages that a person pays on, and manages what they pay for."""
