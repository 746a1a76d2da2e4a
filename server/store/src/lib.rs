//! Ports to durable truth, with one conformance suite.
