//! All that the outside tests start.

use super::{apt, go, python};

/// Sees to it that all of it is here; `Err` names what is missing, and why.
pub fn outside_programs() -> Result<(), String> {
    apt::ensure()?;
    // Before Go's: the compiler may come the same way.
    python::ensure().map_err(|why| format!("missing: Python's environment ({why})"))?;
    go::ensure().map_err(|why| format!("missing: programs of Go's modules ({why})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[ignore = "installs and builds for minutes; for those who change what is installed (XDG_CACHE_HOME)"]
    fn all_of_it_comes_from_nothing_and_the_second_time_it_is_here() {
        outside_programs().expect("installed");
        let begin = std::time::Instant::now();
        outside_programs().expect("here");
        assert!(begin.elapsed().as_secs() < 5);
    }
}
