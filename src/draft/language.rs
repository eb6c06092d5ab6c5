//! Languages whose programs are scripts: which interpreter runs them, and where Debian puts what
//! they load. The ELF closure can't see which modules a script needs, so the modules of all packages
//! that the program's package depends on are taken.

use std::sync::OnceLock;

use crate::ident::ImagePath;
use crate::recipe::Pattern;

/// A language.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Language {
    /// Its name.
    pub(super) name: &'static str,
    /// What its interpreters are called, without versions.
    interpreters: &'static [&'static str],
    /// Where modules are.
    modules: &'static [&'static str],
    /// What of them is not for running programs.
    except: &'static [&'static str],
    /// Variables that make it work on a root that can't be written.
    pub(super) env: &'static [(&'static str, &'static str)],
    /// How the library begins by which other programs have the language in them.
    pub(super) library: &'static str,
}

/// The languages. Paths follow Debian's policies for each.
const LANGUAGES: &[Language] = &[
    Language {
        name: "Python",
        interpreters: &["python", "pypy"],
        modules: &["/usr/lib/python3*/**", "/etc/python3*/**"],
        except: &[
            "/usr/lib/python3.*/{test,idlelib,ensurepip,turtledemo,config-*}/**",
            "**/__pycache__/**",
            "**/{tests,testing}/**/*.{txt,json,xml}",
        ],
        env: &[("PYTHONDONTWRITEBYTECODE", "1")],
        library: "libpython3",
    },
    Language {
        name: "Perl",
        interpreters: &["perl"],
        modules: &[
            "/etc/perl/**",
            "/usr/share/perl/**",
            "/usr/share/perl5/**",
            "/usr/lib/*/perl/**",
            "/usr/lib/*/perl5/**",
            "/usr/lib/*/perl-base/**",
        ],
        except: &[
            "**/*.pod",
            "**/CORE/**",
            "/usr/share/perl5/Debconf/**",
            "/usr/share/perl5/{Debian,Dpkg}/**",
        ],
        env: &[],
        library: "libperl.so",
    },
    Language {
        name: "Ruby",
        interpreters: &["ruby", "jruby"],
        modules: &[
            "/usr/lib/ruby/**",
            "/usr/lib/*/ruby/**",
            "/usr/share/rubygems-integration/**",
            "/usr/share/ruby-*/**",
            "/var/lib/gems/**",
        ],
        except: &[],
        env: &[],
        library: "libruby",
    },
    Language {
        name: "JavaScript",
        interpreters: &["node", "nodejs"],
        modules: &[
            "/usr/share/nodejs/**",
            "/usr/lib/nodejs/**",
            "/usr/lib/*/nodejs/**",
            "/usr/share/node_modules/**",
        ],
        except: &[],
        env: &[],
        library: "libnode.so",
    },
    Language {
        name: "PHP",
        interpreters: &["php"],
        modules: &["/usr/share/php/**", "/usr/lib/php/**", "/usr/share/php*/**", "/etc/php/**"],
        except: &[],
        env: &[],
        library: "libphp",
    },
    Language {
        name: "Tcl",
        interpreters: &["tclsh", "wish", "expect"],
        modules: &["/usr/share/tcltk/**", "/usr/lib/tcltk/**", "/usr/lib/*/tcltk/**"],
        except: &[],
        env: &[],
        library: "libtcl",
    },
    Language {
        name: "Lua",
        interpreters: &["lua", "luajit", "texlua"],
        modules: &["/usr/share/lua/**", "/usr/lib/*/lua/**"],
        except: &[],
        env: &[],
        library: "liblua",
    },
    Language {
        name: "Java",
        interpreters: &["java"],
        modules: &[
            "/usr/lib/jvm/**",
            "/etc/java*/**",
            "/usr/share/java/**",
            "/usr/lib/*/jni/*",
            "/usr/share/*/lib/*.jar",
        ],
        except: &["**/src.zip", "/usr/lib/jvm/**/man/**"],
        env: &[],
        library: "libjvm.so",
    },
    Language {
        name: "Erlang",
        interpreters: &["erl", "escript", "erlexec", "elixir"],
        modules: &["/usr/lib/erlang/**", "/usr/lib/elixir/**", "/usr/lib/*/erlang/**"],
        except: &["**/{src,examples,include}/**", "/usr/lib/erlang/man/**"],
        env: &[],
        library: "libei.so",
    },
    Language {
        name: "Guile",
        interpreters: &["guile"],
        modules: &["/usr/share/guile/**", "/usr/lib/*/guile/**"],
        except: &[],
        env: &[],
        library: "libguile",
    },
    Language {
        name: "R",
        interpreters: &["Rscript", "R"],
        modules: &["/usr/lib/R/**", "/usr/share/R/**", "/etc/R/**"],
        except: &["/usr/lib/R/library/*/{help,html,doc,demo,tests}/**"],
        env: &[],
        library: "libR.so",
    },
];

/// Interpreters of shell scripts, which need other programs and no modules.
const SHELLS: [&str; 6] = ["sh", "dash", "bash", "ksh", "zsh", "ash"];

/// What a script is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Script {
    /// In a shell's language.
    Shell,
    /// In a language with modules.
    Language(&'static Language),
    /// In one that is not known here.
    Other,
}

/// What an interpreter's path or name means: `/usr/bin/python3.13` is Python's.
pub(super) fn script(interpreter: &str) -> Script {
    let name = interpreter.rsplit('/').next().unwrap_or(interpreter);
    let bare =
        name.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '.' || letter == '-');
    if SHELLS.contains(&name) {
        return Script::Shell;
    }
    let known = LANGUAGES.iter().find(|language| language.interpreters.contains(&bare));
    known.map_or(Script::Other, Script::Language)
}

/// The language that a program has in it, by the libraries that it needs.
pub(super) fn embedded(needed: &[String]) -> Option<&'static Language> {
    LANGUAGES.iter().find(|language| needed.iter().any(|library| library.starts_with(language.library)))
}

impl Language {
    /// Whether a path is a module, or something that modules need.
    pub(super) fn has(&self, path: &ImagePath) -> bool {
        let (modules, except) = self.patterns();
        let fits = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(path.as_str()));
        fits(modules) && !fits(except)
    }

    fn patterns(&self) -> &'static (Vec<Pattern>, Vec<Pattern>) {
        static COMPILED: OnceLock<Vec<(Vec<Pattern>, Vec<Pattern>)>> = OnceLock::new();
        let all = COMPILED.get_or_init(|| {
            let compile = |patterns: &[&str]| {
                patterns.iter().map(|text| text.parse().expect("a pattern of ours")).collect()
            };
            LANGUAGES.iter().map(|language| (compile(language.modules), compile(language.except))).collect()
        });
        let at = LANGUAGES.iter().position(|language| language.name == self.name).expect("one of the table");
        &all[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpreters_tell_languages() {
        let name = |interpreter| match script(interpreter) {
            Script::Language(language) => language.name,
            Script::Shell => "shell",
            Script::Other => "other",
        };
        for (interpreter, expected) in [
            ("/usr/bin/python3.13", "Python"),
            ("python3", "Python"),
            ("/usr/bin/perl", "Perl"),
            ("/bin/sh", "shell"),
            ("/usr/bin/tclsh8.6", "Tcl"),
            ("/usr/bin/awk", "other"),
        ] {
            assert_eq!(name(interpreter), expected, "{interpreter}");
        }
    }

    #[test]
    fn modules_are_told_from_what_is_beside_them() {
        let Script::Language(python) = script("python3") else { panic!("known") };
        let has = |path: &str| python.has(&path.parse().expect("a path"));
        assert!(has("/usr/lib/python3/dist-packages/x/y.py"));
        assert!(has("/usr/lib/python3.13/os.py"));
        assert!(!has("/usr/lib/python3.13/test/x.py"));
        assert!(!has("/usr/share/doc/x.py"));
    }
}
