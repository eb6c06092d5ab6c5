//! Verdicts in words: each violation with what to write to allow it, each exception that nothing needs.

use std::collections::BTreeMap;

use super::finding::{Finding, From};
use super::judge::{Unneeded, Verdict};
use crate::diag::{Problem, codes};
use crate::layer::Origin;
use crate::recipe::{Chain, PolicyRule, Recipe};

/// How many paths of one origin are shown; the rest are counted.
const SHOWN: usize = 25;

/// The most paths that an exception names by itself.
const FEW: usize = 4;

/// A problem for each rule and origin of what is violated.
pub fn violations(chain: &Chain, verdict: &Verdict) -> Vec<Problem> {
    let mut groups: BTreeMap<(PolicyRule, &str, &Origin), Vec<&Finding>> = BTreeMap::new();
    for finding in &verdict.violations {
        groups.entry((finding.rule, &finding.recipe, &finding.origin)).or_default().push(finding);
    }
    groups.into_iter().map(|((rule, recipe, _), found)| problem(chain, rule, recipe, &found)).collect()
}

fn problem(chain: &Chain, rule: PolicyRule, recipe: &str, found: &[&Finding]) -> Problem {
    let recipe = chain.recipes.iter().rev().find(|one| one.name.as_str() == recipe).unwrap_or(chain.last());
    let first = found[0];
    let from = From(&first.origin, &first.recipe);
    let message = match (&first.path, found.len()) {
        (None, _) => format!("the image {}", first.what),
        (Some(path), 1) => format!("`{path}` of {from} {}", first.what),
        (Some(_), count) => format!("{count} paths of {from} break the rule `{rule}`"),
    };
    let place = chain.recipes.iter().rev().find_map(|recipe| recipe.image.user.as_ref());
    let mut problem = match place.filter(|_| rule == PolicyRule::Root) {
        Some(user) => user.place.problem(codes::CONTENTS, message, "this user"),
        None => Problem::new(codes::CONTENTS, message),
    };
    problem = problem.fact("rule", format!("{rule}: {}", rule.meaning()));
    for finding in found.iter().take(SHOWN).filter(|_| found.len() > 1) {
        let what = finding
            .path
            .as_ref()
            .map_or_else(|| finding.what.clone(), |path| format!("{path} {}", finding.what));
        problem = problem.fact("found", what);
    }
    if found.len() > SHOWN {
        problem = problem.fact("found", format!("and {} more", found.len() - SHOWN));
    }
    problem.help(help(recipe, rule, found))
}

/// What to do: leave it out, or what to write to allow it.
fn help(recipe: &Recipe, rule: PolicyRule, found: &[&Finding]) -> String {
    let remedy = match rule {
        PolicyRule::Root => "say another `user` in `[image]`",
        PolicyRule::Unowned => "declare the account in `[users]` or `[groups]`, or name another owner",
        PolicyRule::Setuid => "leave it out of `[modes]` and `capabilities`",
        PolicyRule::WorldWritable => "give it another mode in `[modes]`",
        PolicyRule::Secrets if found[0].path.is_none() => {
            "take it out: give it to the container when it runs"
        }
        PolicyRule::Shell | PolicyRule::PackageManager | PolicyRule::Secrets => {
            "leave it out: `except` of a package, or `drop`"
        }
    };
    let section = match &recipe.variant {
        Some(variant) => format!("variant.{variant}.add.policy.allow"),
        None => "policy.allow".to_owned(),
    };
    let text = &recipe.text.name;
    if recipe.allow.iter().any(|at| at.value.rule == rule && !at.value.paths.is_empty()) {
        return format!("{remedy}; or add it to the `paths` of `{rule}` in `[{section}]` of `{text}`");
    }
    // Links to what is allowed are allowed.
    let paths = found.iter().filter(|finding| finding.target.is_none()).filter_map(|one| one.path.as_ref());
    let paths: Vec<String> = paths.map(|path| format!("\"{path}\"")).collect();
    let allowed = if paths.is_empty() || paths.len() > FEW {
        format!("{rule} = \"why\"")
    } else {
        format!("{rule} = {{ reason = \"why\", paths = [{}] }}", paths.join(", "))
    };
    format!("{remedy}; or allow it, in `{text}`:\n[{section}]\n{allowed}")
}

/// A warning for each exception that nothing needs.
pub fn unneeded(unneeded: &[Unneeded]) -> Vec<Problem> {
    let warning = |one: &Unneeded| {
        let rule = one.rule;
        let (message, label) = match &one.pattern {
            None => (format!("nothing in the image needs the exception to `{rule}`"), "not needed"),
            Some(pattern) => {
                (format!("`{pattern}` allows nothing that breaks the rule `{rule}`"), "not needed")
            }
        };
        one.place.problem(codes::CONTENTS, message, label).help("take it out").warn()
    };
    unneeded.iter().map(warning).collect()
}
