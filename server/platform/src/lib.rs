//! Sandbox of the central platform.
