//! What is said above a draft: what somebody who makes it their own has to look at.

use super::drafting::Drafting;
use super::outcome::Outcome;
use super::probe::Worth;
use super::serving::Serving;

impl Drafting<'_> {
    pub(super) fn remarks(&self, outcome: &Outcome) -> Vec<String> {
        let mut remarks = Vec::new();
        if !outcome.problems.is_empty() {
            remarks.push("It does not build yet: `hardpan build` says what is missing.".to_owned());
        }
        if let Some(why) = &outcome.plan.shell {
            remarks.push(format!("There is a shell in it: {why}."));
        }
        if outcome.serving.is_none() && outcome.program.unit.as_ref().is_some_and(|unit| unit.forks) {
            remarks.push(
                "Its unit expects it to go into the background: a container needs it in the foreground, so look for such an option."
                    .to_owned(),
            );
        }
        remarks.extend(outcome.serving.as_ref().and_then(|serving| serving.foreground.clone()));
        let low: Vec<String> = outcome
            .service
            .ports
            .iter()
            .filter(|(port, _)| *port < 1024)
            .map(|(port, _)| port.to_string())
            .collect();
        if !low.is_empty() {
            remarks.push(format!(
                "It is configured for port {}: without rights it listens there only where the runtime lets everybody do so.",
                low.join(" and ")
            ));
        }
        for language in &outcome.plan.languages {
            remarks.push(format!(
                "It is written in {}, at least in part: modules of all that it depends on are taken.",
                language.name
            ));
        }
        if self.worlds.len() < self.foundation.platforms.len() {
            remarks.push(format!("It works on {} only.", self.worlds[0].platform));
        }
        remarks
    }

    /// What is told of the way to the draft, a line each.
    pub(super) fn found(&self, outcome: &Outcome, remarks: Vec<String>) -> Vec<String> {
        let mut found = self.subject.steps.clone();
        found.push(format!("the program is {}: {}", outcome.program.path, outcome.program.why));
        if let Some(answer) = outcome.answer.as_ref().filter(|answer| answer.worth > Worth::Nothing) {
            let says = answer.says.as_ref().map(|(text, _)| text.as_str()).unwrap_or_default();
            found.push(format!("`{}` says: {says}", answer.command.join(" ")));
        }
        found.extend(outcome.serving.as_ref().map(Serving::told));
        found.extend(outcome.silence.as_ref().map(|why| format!("it was not seen to serve: {why}")));
        found.extend(remarks);
        found
    }
}
