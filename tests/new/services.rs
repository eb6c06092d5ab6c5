//! What a service needs around it: its folders, its account, its ports.

use super::made::{draft, elf, read, world};
use crate::support::Deb;

fn service(unit: &str) -> Deb {
    Deb::new("srv", "1.2-1").file("/usr/sbin/srv", elf(&[]), 0o755).file(
        "/usr/lib/systemd/system/srv.service",
        format!("[Service]\nExecStart=/usr/sbin/srv\n{unit}"),
        0o644,
    )
}

#[test]
fn folders_belong_to_the_user_and_state_is_a_volume() {
    let deb = service("User=srv-user\nStateDirectory=srv\nRuntimeDirectory=srv\n")
        .dir("/var/cache/srv", 0o755)
        .file("/usr/lib/tmpfiles.d/srv.conf", "d /run/srv-more 0750 srv srv -\n", 0o644)
        .file("/usr/lib/sysusers.d/srv.conf", "u srv-user - - /var/lib/srv\n", 0o644);
    let recipe = read(&draft(&world(&[deb]), "srv"));
    let folders: Vec<&String> = recipe["directories"].as_table().unwrap().keys().collect();
    assert_eq!(folders, ["/run/srv", "/run/srv-more", "/var/cache/srv", "/var/lib/srv"]);
    assert!(
        recipe["directories"]
            .as_table()
            .unwrap()
            .values()
            .all(|one| one["owner"].as_str() == Some("nonroot:nonroot"))
    );
    assert_eq!(recipe["image"]["volumes"].as_array().unwrap().len(), 1);
    assert_eq!(recipe["image"]["volumes"][0].as_str(), Some("/var/lib/srv"));
    assert_eq!(recipe["users"]["srv-user"]["uid"].as_integer(), Some(65532));
}

#[test]
fn ports_are_those_of_sockets_arguments_and_configurations() {
    let socket = service("").file(
        "/usr/lib/systemd/system/srv.socket",
        "[Socket]\nListenStream=631\nListenDatagram=5353\n",
        0o644,
    );
    let ports = |deb: Deb| {
        read(&draft(&world(&[deb]), "srv"))["image"].get("ports").map(ToString::to_string).unwrap_or_default()
    };
    assert_eq!(ports(socket), "[631, \"5353/udp\"]");
    let config = service("").file("/etc/srv/srv.conf", "# listen 1\nlisten 0.0.0.0:8443 ssl;\n", 0o644);
    assert_eq!(ports(config), "[8443]");
    assert_eq!(ports(service("")), "");
}

#[test]
fn a_port_below_1024_is_remarked_on() {
    let text = draft(&world(&[service("").file("/etc/srv.conf", "port = 80\n", 0o644)]), "srv");
    assert!(text.contains("It is configured for port 80"), "{text}");
}
