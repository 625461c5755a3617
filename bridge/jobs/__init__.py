"""Jobs that are durable before they are acknowledged."""
