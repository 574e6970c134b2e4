//! Owns connectors and their tasks: starts them, watches them, restarts what failed.
