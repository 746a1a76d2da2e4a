//! The built browser apps, embedded.
