//! The command line: `aws-ilm`.

fn main() {}
