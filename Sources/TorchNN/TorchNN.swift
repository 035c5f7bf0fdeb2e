// First file of the room; see docs/architecture.md.
