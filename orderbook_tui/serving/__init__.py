"""The embedded exchange, served to others on loopback: over REST and WebSocket, and over FIX."""
