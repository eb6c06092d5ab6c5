//! The command line of hardpan.

fn main() {}
