//! A vulnerability by any name that a feed has for it, with all that is said of it: as a scan would find it.
//!
//! | asked for | kept by |
//! |---|---|
//! | a CVE, or a name with one in it (`DEBIAN-CVE-…`) | the CVE: found at once |
//! | a CVE that only records of several CVEs name (`DSA-…`) | statements about packages alone |
//! | a name that a record with one CVE has, or lists as an alias (`GHSA-…`) | that CVE |
//! | a record of several CVEs (`DSA-…`) | its own name; its packages by its CVEs |
//!
//! What is not found at once is looked for in all of the snapshot, which for a person who asks is soon enough.

use std::collections::BTreeSet;

use super::group::{FactGroup, Known, PackageGroup, Said};
use super::record::Ecosystem;
use super::snapshot::Snapshot;
use crate::diag::Result;
use crate::ident::CveId;

/// Which packages a name is about, and by which CVEs and records.
#[derive(Default)]
struct Trace {
    packages: BTreeSet<(Ecosystem, String)>,
    cves: BTreeSet<CveId>,
    records: BTreeSet<String>,
}

impl Snapshot {
    /// What is known under a name, and how packages stand to it; `None` where no feed has the name.
    pub fn look_up(&self, name: &str) -> Result<Option<(Known, Vec<Said>)>> {
        let upper = name.to_ascii_uppercase();
        let inner = upper.find("CVE-").and_then(|at| upper[at..].parse::<CveId>().ok());
        let direct = match self.about_id(name)? {
            None => inner.map(|cve| self.about(cve)).transpose()?.flatten(),
            known => known,
        };
        let known = match (direct, inner) {
            (Some(known), _) => Some(known),
            (None, Some(cve)) => match self.named_only(cve)? {
                None => self.aliased(name)?,
                known => known,
            },
            (None, None) => self.aliased(name)?,
        };
        let Some(mut known) = known else { return Ok(None) };
        let own = known.id.parse::<CveId>().ok();
        let mut cves: BTreeSet<CveId> = own.into_iter().collect();
        if own.is_none() && known.packages.is_empty() {
            let trace = self.trace(|id, _| id == known.id)?;
            known.packages = trace.packages.into_iter().collect();
            cves = trace.cves;
        }
        let mut said = Vec::new();
        for (ecosystem, package) in &known.packages {
            let all = self.affecting(ecosystem, package)?.into_iter();
            said.extend(
                all.filter(|one| one.id == known.id || one.cve.is_some_and(|cve| cves.contains(&cve))),
            );
        }
        Ok(Some((known, said)))
    }

    /// A CVE of which no record speaks by itself: what records of several say.
    fn named_only(&self, cve: CveId) -> Result<Option<Known>> {
        let trace = self.trace(|_, named| named == Some(cve))?;
        if trace.packages.is_empty() {
            return Ok(None);
        }
        let mut known = Known::default();
        for id in &trace.records {
            let Some(one) = self.about_id(id)? else { continue };
            if one.summary.len() > known.summary.len() {
                known.summary = one.summary;
            }
            known.published = [known.published, one.published].into_iter().flatten().min();
            known.modified = known.modified.max(one.modified);
            known.severities.extend(one.severities);
            known.feeds.extend(one.feeds);
        }
        known.feeds.sort_unstable();
        known.feeds.dedup();
        // Other names of such a record are other vulnerabilities.
        known.aliases = trace.records.into_iter().collect();
        Ok(Some(Known { id: cve.to_string(), packages: trace.packages.into_iter().collect(), ..known }))
    }

    /// What a name is another name of; a record's own name goes before one that it lists.
    fn aliased(&self, name: &str) -> Result<Option<Known>> {
        let is_it = |other: &str| other.eq_ignore_ascii_case(name);
        let (mut own, mut listed) = (None, None);
        self.each_fact(&mut |group: FactGroup| {
            if is_it(&group.key) || group.facts.iter().any(|(_, fact)| is_it(&fact.id)) {
                own.get_or_insert(group);
            } else if group.facts.iter().any(|(_, fact)| fact.aliases.iter().any(|alias| is_it(alias))) {
                listed.get_or_insert(group);
            }
            Ok(())
        })?;
        Ok(own.or(listed).map(|group| group.read(self.head())))
    }

    fn trace(&self, is_it: impl Fn(&str, Option<CveId>) -> bool) -> Result<Trace> {
        let mut trace = Trace::default();
        self.each_package(&mut |group: PackageGroup| {
            for (_, wire) in group.affected.iter().filter(|(_, wire)| is_it(&wire.id, wire.cve())) {
                let (ecosystem, package) = group.key.split_once('\n').unwrap_or_default();
                let Ok(ecosystem) = ecosystem.parse() else { continue };
                trace.packages.insert((ecosystem, package.to_owned()));
                trace.cves.extend(wire.cve());
                trace.records.insert(wire.id.clone());
            }
            Ok(())
        })?;
        Ok(trace)
    }
}
