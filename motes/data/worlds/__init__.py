"""Generated worlds with known truth. A seed gives the same pixels on any machine."""
