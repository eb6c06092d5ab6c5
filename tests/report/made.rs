//! Events made by hand: an image, its digests, its vulnerabilities, on days of one month.

use hardpan::advisory::Level;
use hardpan::ident::{BlobDigest, Epoch, Sha256};
use hardpan::ledger::{
    Built, Detected, Event, FixKnown, FixSource, Fixed, Gone, ImageId, Published, Why, to_lines,
};

/// A digest that is told by a letter.
pub fn digest(letter: char) -> BlobDigest {
    BlobDigest(Sha256::of(letter.to_string().as_bytes()))
}

/// `20T02`: the 20th of October 2026, two o'clock.
pub fn at(text: &str) -> Epoch {
    let (day, hour) = text.split_once('T').expect("a day and an hour");
    format!("2026-10-{day}T{hour}:00:00Z").parse().expect("a time")
}

/// An image.
pub fn image(name: &str) -> ImageId {
    name.parse().expect("a name")
}

/// Events of one image.
pub struct Of(pub &'static str);

impl Of {
    pub fn detected(&self, when: &str, letter: char, cve: &str, severity: Level) -> Event {
        Event::Detected(Detected {
            at: at(when),
            image: image(self.0),
            digest: digest(letter),
            cve: cve.parse().expect("a name"),
            package: "openssl".to_owned(),
            version: "3.5.1-1".to_owned(),
            severity,
            severity_source: (severity != Level::Unknown).then(|| "cve5".to_owned()),
            public: Some(at("01T00")),
        })
    }

    pub fn fix(&self, when: &str, cve: &str, available: &str, known_by: FixSource) -> Event {
        Event::Fix(FixKnown {
            at: at(when),
            image: image(self.0),
            cve: cve.parse().expect("a name"),
            package: "openssl".to_owned(),
            version: "3.5.1-1+deb13u1".to_owned(),
            available: at(available),
            known_by,
        })
    }

    pub fn built(&self, when: &str, letter: char) -> Event {
        let version = Some("3.13.5".to_owned());
        Event::Built(Built { at: at(when), image: image(self.0), digest: digest(letter), version })
    }

    pub fn fixed(&self, when: &str, cve: &str, before: char, after: char) -> Event {
        Event::Fixed(Fixed {
            at: at(when),
            image: image(self.0),
            cve: cve.parse().expect("a name"),
            package: "openssl".to_owned(),
            version: Some("3.5.1-1+deb13u1".to_owned()),
            before: digest(before),
            after: digest(after),
        })
    }

    pub fn published(&self, when: &str, letter: char, tags: &[&str]) -> Event {
        let name = image(self.0).name;
        Event::Published(Published {
            at: at(when),
            image: image(self.0),
            digest: digest(letter),
            before: None,
            repository: format!("localhost:5000/{name}").parse().expect("a repository"),
            tags: tags.iter().map(|tag| tag.parse().expect("a tag")).collect(),
        })
    }

    pub fn gone(&self, when: &str, cve: &str, why: Why) -> Event {
        let cve = cve.parse().expect("a name");
        Event::Gone(Gone { at: at(when), image: image(self.0), cve, package: "openssl".to_owned(), why })
    }

    /// Found in `a` on the 5th at 00, fixable since `available`, fixed by `b`, published at `published`.
    pub fn whole(&self, cve: &str, severity: Level, available: &str, published: &str) -> Vec<Event> {
        vec![
            self.detected("05T00", 'a', cve, severity),
            self.fix("05T01", cve, available, FixSource::ReleaseFile),
            self.built(published, 'b'),
            self.fixed(published, cve, 'a', 'b'),
            self.published(published, 'b', &["3.13", "3.13.5-20261020"]),
        ]
    }
}

/// The lines that `report import` takes.
pub fn lines(events: &[Event]) -> String {
    to_lines(events)
}
