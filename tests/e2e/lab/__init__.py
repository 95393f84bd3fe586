"""What the end-to-end tests and tools/quickstart are made of: namespaces, the two processes,
real clients, and raw access to the wire between them. Standard library only."""
