//! What a server may do wrong, and when.

use super::server::Request;

/// A way to answer badly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// This status and an empty body.
    Status(u16),
    /// Another address, as status 302.
    Redirect(String),
    /// Nothing at all, not even a status, for a minute at most.
    Mute,
    /// The true headers, and then nothing, for a minute at most.
    Stall,
    /// The body at so many bytes a second, for a minute at most.
    Trickle(u64),
    /// The true headers, so many bytes of the body, and a closed connection.
    CutAfter(u64),
    /// A chunked body that does not end; it does after 64 MiB or when the client goes.
    Endless,
    /// A length that is so many bytes too large, all of the true body, and a closed connection.
    Lie(u64),
    /// The whole body with status 200, whatever part was asked for.
    IgnoreRange,
    /// One bit in the middle of the body is another.
    Garble,
}

type Predicate = Box<dyn Fn(&Request) -> bool + Send>;

/// A fault, for which requests, and for how many more of them.
struct Rule {
    applies: Predicate,
    fault: Fault,
    left: usize,
}

/// Which requests meet which fault; the first rule that applies and isn't used up counts.
#[derive(Default)]
pub(super) struct Plan(Vec<Rule>);

impl Plan {
    pub(super) fn add(&mut self, applies: Predicate, fault: Fault, times: usize) {
        self.0.push(Rule { applies, fault, left: times });
    }

    pub(super) fn take(&mut self, request: &Request) -> Option<Fault> {
        let rule = self.0.iter_mut().find(|rule| rule.left > 0 && (rule.applies)(request))?;
        rule.left -= 1;
        Some(rule.fault.clone())
    }
}
