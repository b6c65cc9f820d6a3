"""The read side: HTTP API, live stream, sign-in; serves the web app."""
