//! From what was found in the recipes of a chain, and the image's configuration, to a verdict.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::{Finding, Findings, Replaced};
use super::passwords;
use crate::ident::ImagePath;
use crate::image::Runtime;
use crate::layer::Origin;
use crate::recipe::{At, Chain, Exception, Place, PolicyRule};
use crate::source::secrets;

/// What came of judging an image of one platform.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// What is forbidden and not allowed.
    pub violations: BTreeSet<Finding>,
    /// What is forbidden and allowed, by rule.
    pub allowed: BTreeMap<PolicyRule, Allowed>,
    /// Exceptions of the chain's last recipe that nothing needs.
    pub unneeded: Vec<Unneeded>,
    /// Packaged files in whose place a recipe has another.
    pub replaced: BTreeMap<ImagePath, Replaced>,
}

/// What exceptions to a rule allow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Allowed {
    /// Why, the lowest recipe's reason first.
    pub reasons: Vec<String>,
    /// Which paths; none if it is the image's configuration.
    pub paths: BTreeSet<ImagePath>,
}

/// An exception, or a pattern of one, that nothing needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unneeded {
    /// The rule.
    pub rule: PolicyRule,
    /// The pattern; `None` if the whole exception is not needed.
    pub pattern: Option<String>,
    /// Where it was written.
    pub place: Place,
}

impl Verdict {
    /// The exceptions that the image needs: each rule's reasons as one text.
    pub fn reasons(&self) -> BTreeMap<String, String> {
        self.allowed.iter().map(|(rule, allowed)| (rule.to_string(), allowed.reasons.join("; "))).collect()
    }
}

/// Judges the image of a chain: what was found in each of its recipes, in their order, and how it runs.
pub fn judge(chain: &Chain, findings: &[Findings], runtime: &Runtime) -> Verdict {
    let mut all: BTreeSet<Finding> = findings.iter().flat_map(|one| one.found.iter().cloned()).collect();
    all.extend(unowned(chain, findings));
    all.extend(configured(chain, runtime));
    let exceptions: Vec<&At<Exception>> = chain.recipes.iter().flat_map(|recipe| &recipe.allow).collect();
    let mut verdict = Verdict::default();
    for finding in &all {
        let holds = exceptions.iter().filter(|at| takes(&at.value, finding));
        let reasons: Vec<&String> = holds.map(|at| &at.value.reason).collect();
        if reasons.is_empty() {
            verdict.violations.insert(finding.clone());
            continue;
        }
        let allowed = verdict.allowed.entry(finding.rule).or_default();
        allowed.paths.extend(finding.path.clone());
        for reason in reasons {
            if !allowed.reasons.contains(reason) {
                allowed.reasons.push(reason.clone());
            }
        }
    }
    // In the order of the recipes, whichever path was first.
    for (rule, allowed) in &mut verdict.allowed {
        let place = |reason: &String| {
            exceptions.iter().position(|at| at.value.rule == *rule && at.value.reason == *reason)
        };
        allowed.reasons.sort_by_key(place);
    }
    verdict.unneeded = unneeded(&chain.last().allow, &all);
    verdict.replaced = findings.iter().flat_map(|one| one.replaced.clone()).collect();
    verdict
}

fn takes(exception: &Exception, finding: &Finding) -> bool {
    exception.rule == finding.rule
        && (exception.takes(finding.path.as_ref())
            || finding.target.as_ref().is_some_and(|target| exception.takes(Some(target))))
}

/// Exceptions, and patterns of exceptions, that take nothing.
fn unneeded(exceptions: &[At<Exception>], all: &BTreeSet<Finding>) -> Vec<Unneeded> {
    let mut unneeded = Vec::new();
    for At { value: exception, place } in exceptions {
        let rule = exception.rule;
        if !all.iter().any(|finding| takes(exception, finding)) {
            unneeded.push(Unneeded { rule, pattern: None, place: place.clone() });
            continue;
        }
        for pattern in &exception.paths {
            let one = Exception { paths: vec![pattern.clone()], ..exception.clone() };
            if !all.iter().any(|finding| takes(&one, finding)) {
                let text = pattern.value.to_string();
                unneeded.push(Unneeded { rule, pattern: Some(text), place: pattern.place.clone() });
            }
        }
    }
    unneeded
}

/// Paths whose user or group the image's `/etc/passwd` and `/etc/group` don't have. Root needs neither.
fn unowned(chain: &Chain, findings: &[Findings]) -> Vec<Finding> {
    let none = BTreeSet::new();
    let top =
        |of: fn(&Findings) -> Option<&BTreeSet<u32>>| findings.iter().rev().find_map(of).unwrap_or(&none);
    let (users, groups) = (top(|one| one.users.as_ref()), top(|one| one.groups.as_ref()));
    let mut found = Vec::new();
    for (recipe, owned) in chain
        .recipes
        .iter()
        .zip(findings)
        .flat_map(|(recipe, one)| one.owned.iter().map(move |owned| (recipe, owned)))
    {
        let what = match (known(owned.uid, users), known(owned.gid, groups)) {
            (true, true) => continue,
            (false, _) => format!("belongs to the user {}, which is no account of the image", owned.uid),
            (true, false) => format!("belongs to the group {}, which is no group of the image", owned.gid),
        };
        for (path, origin) in &owned.paths {
            found.push(Finding {
                rule: PolicyRule::Unowned,
                path: Some(path.clone()),
                target: None,
                what: what.clone(),
                origin: origin.clone(),
                recipe: recipe.name.to_string(),
            });
        }
    }
    found
}

fn known(number: u32, accounts: &BTreeSet<u32>) -> bool {
    number == 0 || accounts.contains(&number)
}

/// What the image's configuration has that a rule forbids.
fn configured(chain: &Chain, runtime: &Runtime) -> Vec<Finding> {
    let recipe = chain.last().name.to_string();
    let finding = |rule, what: String| Finding {
        rule,
        path: None,
        target: None,
        what,
        origin: Origin::Recipe,
        recipe: recipe.clone(),
    };
    let mut found: Vec<Finding> =
        as_root(&runtime.user).map(|what| finding(PolicyRule::Root, what.to_owned())).into_iter().collect();
    let mut secret = |what: String| found.push(finding(PolicyRule::Secrets, what));
    for (name, value) in &runtime.env {
        if passwords::is_password(name, value) {
            secret(format!("sets the variable `{name}`, which is named after a password"));
        }
        for one in secrets(value.as_bytes()) {
            secret(format!("sets the variable `{name}` to what looks like {one}"));
        }
    }
    for (name, value) in &runtime.labels {
        for one in secrets(value.as_bytes()) {
            secret(format!("has a label `{name}` that looks like {one}"));
        }
    }
    for argument in runtime.entrypoint.iter().chain(&runtime.cmd) {
        for one in secrets(argument.as_bytes()) {
            secret(format!("is started with an argument that looks like {one}"));
        }
    }
    found
}

/// What is wrong with a user, `uid:gid`; nothing said means root.
fn as_root(user: &str) -> Option<&'static str> {
    match user.split_once(':') {
        None => Some("runs as root, because no recipe says as whom"),
        Some(("0", _)) => Some("runs as root"),
        Some((_, "0")) => Some("runs in the group of root"),
        Some(_) => None,
    }
}
