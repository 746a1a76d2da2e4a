//! The binary `synaq`.
fn main() {}
