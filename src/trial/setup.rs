//! What an image's configuration says of how it runs (image specification, config.md).

use serde_json::Value;

use crate::recipe::Command;

/// Where programs are looked for if the image does not say.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How an image runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setup {
    /// `uid:gid`, or names.
    pub(super) user: String,
    /// The program and its first arguments.
    pub(super) entrypoint: Vec<String>,
    /// Default arguments.
    pub(super) cmd: Vec<String>,
    /// Variables, as `NAME=value`.
    pub(super) env: Vec<(String, String)>,
    /// The folder that it begins in.
    pub(super) workdir: String,
    /// The signal that ends it.
    pub(super) stop_signal: String,
}

impl Setup {
    /// Reads a configuration.
    pub(super) fn of(config: &Value) -> Self {
        let at = |name: &str| config.pointer(&format!("/config/{name}"));
        let text = |name: &str, default: &str| {
            let said = at(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            said.unwrap_or(default).to_owned()
        };
        let texts = |name: &str| -> Vec<String> {
            let list = at(name).and_then(Value::as_array).into_iter().flatten();
            list.filter_map(Value::as_str).map(ToOwned::to_owned).collect()
        };
        let pair = |text: String| {
            let (name, value) = text.split_once('=')?;
            Some((name.to_owned(), value.to_owned()))
        };
        Self {
            user: text("User", "0"),
            entrypoint: texts("Entrypoint"),
            cmd: texts("Cmd"),
            env: texts("Env").into_iter().filter_map(pair).collect(),
            workdir: text("WorkingDir", "/"),
            stop_signal: text("StopSignal", "SIGTERM"),
        }
    }

    /// The program and arguments of a command.
    pub(super) fn words(&self, command: &Command) -> Vec<String> {
        match command {
            Command::Own => self.entrypoint.iter().chain(&self.cmd).cloned().collect(),
            Command::Arguments(arguments) => self.entrypoint.iter().chain(arguments).cloned().collect(),
            Command::Program(words) => words.clone(),
        }
    }

    /// All variables: the image's, then those of a run, then what every process has.
    pub(super) fn variables(
        &self,
        more: &std::collections::BTreeMap<String, String>,
        home: &str,
    ) -> Vec<String> {
        let mut all = self.env.clone();
        all.retain(|(name, _)| !more.contains_key(name));
        all.extend(more.iter().map(|(name, value)| (name.clone(), value.clone())));
        for (name, value) in [("PATH", PATH), ("HOME", home), ("HOSTNAME", super::bundle::HOSTNAME)] {
            if !all.iter().any(|(there, _)| there == name) {
                all.push((name.to_owned(), value.to_owned()));
            }
        }
        all.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_run_adds_to_what_the_image_says() {
        let setup = Setup::of(&json!({ "config": {
            "Entrypoint": ["/x", "-a"], "Cmd": ["-b"], "Env": ["A=1", "B=x=y"],
        } }));
        assert_eq!(setup.words(&Command::Own), ["/x", "-a", "-b"]);
        assert_eq!(setup.words(&Command::Arguments(vec!["-c".into()])), ["/x", "-a", "-c"]);
        assert_eq!(setup.words(&Command::Program(vec!["/y".into()])), ["/y"]);
        let more = [("A".to_owned(), "2".to_owned())].into();
        let variables = setup.variables(&more, "/home/x");
        assert!(variables.starts_with(&["B=x=y".into(), "A=2".into(), format!("PATH={PATH}")]));
        assert!(variables.contains(&"HOME=/home/x".to_owned()));
        assert_eq!((setup.user.as_str(), setup.workdir.as_str()), ("0", "/"));
        assert_eq!(setup.stop_signal, "SIGTERM");
    }
}
