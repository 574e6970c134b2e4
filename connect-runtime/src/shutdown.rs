//! The one place that spawns: tasks are told to stop, and joined.
