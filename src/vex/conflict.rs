//! Decisions that contradict each other. Of two that hold, the later one wins; where both are of one day, nobody
//! can tell which, and that is an error.

use super::decision::{Claim, Decision};
use crate::diag::{Problem, codes};

/// Pairs of people's decisions of one day that speak of the same and say something else.
pub(super) fn conflicts(decisions: &[Decision]) -> Vec<Problem> {
    let mut said: Vec<&Decision> =
        decisions.iter().filter(|one| matches!(one.claim, Claim::Stands { .. })).collect();
    said.sort_by_key(|one| (&one.id, one.date));
    let same = said.chunk_by(|one, other| one.id == other.id && one.date == other.date);
    same.flat_map(|group| {
        let pairs = group
            .iter()
            .enumerate()
            .flat_map(|(at, one)| group[at + 1..].iter().map(move |other| (one, other)));
        pairs.filter(|(one, other)| contradict(one, other)).map(|(one, other)| problem(one, other))
    })
    .collect()
}

fn contradict(one: &Decision, other: &Decision) -> bool {
    one.claim.status() != other.claim.status()
        && !one.packages.is_disjoint(&other.packages)
        && one.images.overlap(&other.images)
}

fn problem(one: &Decision, other: &Decision) -> Problem {
    let message =
        format!("two decisions on {} say `{}` and `{}`", one.id, one.claim.status(), other.claim.status());
    let packages: Vec<&str> = one.packages.intersection(&other.packages).map(String::as_str).collect();
    let problem = Problem::new(codes::VEX_CONFLICT, message)
        .at(&other.place.source, other.place.span.clone(), format!("here `{}`", other.claim.status()))
        .fact("packages", packages.join(", "))
        .fact(
            "images",
            if one.images == other.images {
                one.images.to_string()
            } else {
                format!("{}; {}", one.images, other.images)
            },
        )
        .fact("other", format!("{}, by {}", one.written(), one.author));
    problem.help("of two decisions the later one wins: date the newer one later, or delete the other")
}
