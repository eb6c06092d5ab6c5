//! What OpenVEX 0.2.0 asks of a statement beyond its form: which status must carry what, and may not carry what.

use super::words::{Justification, Status};

/// What a statement carries beside its status; whether, for texts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Carries {
    pub(super) justification: Option<Justification>,
    pub(super) impact: bool,
    pub(super) action: bool,
}

/// A rule that is broken: what is wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    /// The key that it is about, in the language of decisions.
    pub(super) key: &'static str,
    pub(super) what: String,
    pub(super) help: String,
}

/// All rules that are broken.
pub(super) fn broken(status: Status, carries: Carries) -> Vec<Broken> {
    let mut found = Vec::new();
    let mut say = |key, what: String, help: String| found.push(Broken { key, what, help });
    let not_affected = status == Status::NotAffected;
    if not_affected && carries.justification.is_none() && !carries.impact {
        let words: Vec<&str> = Justification::ALL.iter().map(|known| known.word()).collect();
        let help =
            format!("`justification` is one of `{}`; or say it in words: `impact`", words.join("`, `"));
        say("justification", "`not_affected` has no justification".into(), help);
    }
    if status == Status::Affected && !carries.action {
        let what = "`affected` has no action".into();
        say("action", what, "`action` says what to do about it: update, configure, wait for a fix".into());
    }
    let only = |key: &str, whose: Status| {
        (
            format!("`{key}` stands beside the status `{status}`"),
            format!("only `{whose}` has `{key}`: leave it out"),
        )
    };
    let strays = [
        ("justification", carries.justification.is_some() && !not_affected, Status::NotAffected),
        ("impact", carries.impact && !not_affected, Status::NotAffected),
        ("action", carries.action && status != Status::Affected, Status::Affected),
    ];
    for (key, _, whose) in strays.into_iter().filter(|(_, stray, _)| *stray) {
        let (what, help) = only(key, whose);
        say(key, what, help);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(status: Status, justified: bool, impact: bool, action: bool) -> Vec<&'static str> {
        let justification = justified.then_some(Justification::ComponentNotPresent);
        broken(status, Carries { justification, impact, action }).iter().map(|rule| rule.key).collect()
    }

    #[test]
    fn each_status_carries_what_it_must_and_nothing_else() {
        use Status::{Affected, Fixed, NotAffected, UnderInvestigation};
        assert!(keys(NotAffected, true, false, false).is_empty());
        assert!(keys(NotAffected, false, true, false).is_empty());
        assert!(keys(NotAffected, true, true, false).is_empty());
        assert_eq!(keys(NotAffected, false, false, false), ["justification"]);
        assert_eq!(keys(NotAffected, false, false, true), ["justification", "action"]);
        assert!(keys(Affected, false, false, true).is_empty());
        assert_eq!(keys(Affected, false, false, false), ["action"]);
        assert_eq!(keys(Affected, true, true, true), ["justification", "impact"]);
        for status in [Fixed, UnderInvestigation] {
            assert!(keys(status, false, false, false).is_empty());
            assert_eq!(keys(status, true, true, true), ["justification", "impact", "action"]);
        }
    }
}
