"""Who calls, in which role, how often; and the transaction around each request."""
