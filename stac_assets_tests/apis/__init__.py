"""What APIs do beside the standard: what dates hide, what is refused, cut off or miscounted, and mixtures."""
