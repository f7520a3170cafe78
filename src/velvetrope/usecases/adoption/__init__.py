"""Members from before the product: listed by an operator, or claiming their place by a link."""
