//! Registries come and go, and ask who is there when they are told to.

use std::net::TcpStream;
use std::process::Command;

use super::outside::registry::{Kind, Login, Registry};
use super::outside::tool;
use super::pushed;

/// Whether skopeo can look at an image.
fn sees(reference: &str, configure: impl FnOnce(&mut Command)) -> bool {
    let name = format!("docker://{reference}");
    let mut command = tool("skopeo", &["inspect", "--raw", "--tls-verify=false", &name]);
    configure(&mut command);
    command.output().expect("skopeo").status.success()
}

#[test]
#[ignore = "needs registries, skopeo and umoci"]
fn registries_take_an_image_and_are_gone_when_dropped() {
    for kind in Kind::ALL {
        let registry = Registry::start(kind);
        let reference = pushed(&registry, "made/hello");
        assert!(sees(&reference, |_| ()), "{kind:?}");
        assert!(!sees(&registry.reference("made/other:1"), |_| ()), "{kind:?}");
        assert!(registry.storage().join("docker/registry/v2/repositories/made/hello").is_dir());
        let address = registry.address();
        TcpStream::connect(&address).expect("it listens");
        drop(registry);
        TcpStream::connect(&address).expect_err("it is gone");
    }
}

#[test]
#[ignore = "needs registries and skopeo"]
fn registries_that_ask_who_is_there_let_only_those_in() {
    let good = Login { name: "made", password: "open sesame" };
    for kind in Kind::ALL {
        let registry = Registry::start_with_login(kind, good);
        let absent = registry.reference("made/hello:1");
        let said = |login: Login| {
            let config = registry.docker_config(login).join("config.json");
            let name = format!("docker://{absent}");
            let mut command = tool("skopeo", &["inspect", "--tls-verify=false", &name]);
            let output = command.env("REGISTRY_AUTH_FILE", config).output().expect("skopeo");
            String::from_utf8_lossy(&output.stderr).into_owned()
        };
        // Who is let in is told that there is no such image.
        assert!(said(good).contains("manifest unknown"), "{kind:?}: {}", said(good));
        let bad = said(Login { password: "wrong", ..good });
        assert!(bad.contains("unauthorized") || bad.contains("authentication required"), "{kind:?}: {bad}");
    }
}
