//! What the ledger takes, and what it refuses.

use std::path::Path;
use std::time::Duration;

use hardpan::advisory::Level;
use hardpan::ident::Epoch;
use hardpan::ledger::{Event, FixSource, Ledger, Place, Recorded, State, TOLERANCE, VulnId, Why};

use super::made::{Of, at};

const CVE: &str = "CVE-2026-123456";
const PYTHON: Of = Of("python");

fn open(folder: &Path) -> Ledger {
    Ledger::open(&Place::File(folder.join("ledger.db")), Duration::from_secs(5)).expect("opened")
}

fn recorded(new: usize, known: usize) -> Recorded {
    Recorded { new, known }
}

#[test]
fn the_same_events_again_change_nothing_at_whatever_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut ledger = open(folder.path());
    let events = PYTHON.whole(CVE, Level::High, "06T00", "07T12");
    assert_eq!(ledger.record(&events, at("07T12")), Ok(recorded(5, 0)));
    let before = ledger.events().expect("read");
    assert_eq!(ledger.record(&events, at("07T12")), Ok(recorded(0, 5)), "to the letter");
    // An interrupted run is done again an hour later, with the clock of that hour.
    let later: Vec<Event> = events[1..].iter().map(|event| event.clone().moved_to(at("07T13"))).collect();
    assert_eq!(ledger.record(&later, at("07T13")), Ok(recorded(0, 4)), "an hour later");
    assert_eq!(ledger.events().expect("read"), before);
    drop(ledger);
    assert_eq!(open(folder.path()).events().expect("read"), before, "from the disk");
}

#[test]
fn what_was_recorded_is_known_also_when_something_else_came_after_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut ledger = open(folder.path());
    let events = [PYTHON.detected("05T00", 'a', CVE, Level::High), PYTHON.gone("06T00", CVE, Why::Decided)];
    assert_eq!(ledger.record(&events, at("06T00")), Ok(recorded(2, 0)));
    // By itself, the first would be the same vulnerability come back.
    assert_eq!(ledger.record(&events, at("06T00")), Ok(recorded(0, 2)));
}

#[test]
fn a_clock_that_is_set_back_is_refused_and_nothing_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut ledger = open(folder.path());
    let found = PYTHON.detected("10T00", 'a', CVE, Level::High);
    ledger.record(std::slice::from_ref(&found), at("10T00")).expect("recorded");
    let earlier = Of("nginx").detected("09T00", 'n', CVE, Level::High);
    let failure = ledger.record(std::slice::from_ref(&earlier), at("09T00")).expect_err("set back");
    assert_eq!(failure.problems()[0].code.to_string(), "HP144");
    assert_eq!(failure.problems()[0].facts[0].1, "2026-10-09T00:00:00Z");
    assert!(ledger.ready(at("09T00")).is_err());
    assert!(ledger.ready(Epoch(at("10T00").0 - TOLERANCE)).is_ok());
    assert_eq!(ledger.events().expect("read"), [found]);
}

#[test]
fn clocks_of_two_machines_may_differ_by_minutes_and_time_still_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut ledger = open(folder.path());
    let found = PYTHON.detected("10T00", 'a', CVE, Level::High);
    ledger.record(&[found], at("10T00")).expect("recorded");
    let behind = Epoch(at("10T00").0 - 120);
    let fix = PYTHON.fix("10T00", CVE, "09T00", FixSource::ReleaseFile).moved_to(behind);
    assert_eq!(ledger.record(&[fix], behind), Ok(recorded(1, 0)));
    let times: Vec<Epoch> = ledger.events().expect("read").iter().map(Event::at).collect();
    assert_eq!(times, [at("10T00"), at("10T00")]);
}

#[test]
fn an_event_far_before_the_last_of_its_image_is_refused_though_the_clock_is_right() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut ledger = open(folder.path());
    ledger.record(&[PYTHON.detected("10T00", 'a', CVE, Level::High)], at("10T00")).expect("recorded");
    let late = PYTHON.published("09T00", 'b', &["3.13"]);
    assert_eq!(
        ledger.record(&[late], at("10T01")).expect_err("late").problems()[0].code.to_string(),
        "HP144"
    );
}

#[test]
fn events_of_the_future_are_refused_whether_recorded_or_imported() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut ledger = open(folder.path());
    let events = [PYTHON.detected("10T02", 'a', CVE, Level::High)];
    for refused in [ledger.record(&events, at("10T01")), ledger.import(&events, at("10T01"))] {
        assert_eq!(refused.expect_err("future").problems()[0].code.to_string(), "HP144");
    }
    assert!(ledger.events().expect("read").is_empty());
}

#[test]
fn one_bad_event_keeps_all_of_its_batch_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut ledger = open(folder.path());
    let mut events = PYTHON.whole(CVE, Level::High, "06T00", "07T12");
    events.push(PYTHON.fixed("07T12", CVE, 'b', 'b'));
    let failure = ledger.record(&events, at("07T12")).expect_err("refused");
    assert_eq!(failure.problems()[0].code.to_string(), "HP246");
    assert!(ledger.events().expect("read").is_empty());
}

#[test]
fn history_is_what_it_was_at_a_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut ledger = open(folder.path());
    ledger.record(&PYTHON.whole(CVE, Level::High, "06T00", "07T12"), at("07T12")).expect("recorded");
    let mut state = |until| {
        let history = ledger.history(None, until).expect("read");
        history.exposures().map(|(_, exposure)| exposure.state()).collect::<Vec<_>>()
    };
    assert_eq!(state(Some(at("05T00"))), []);
    assert_eq!(state(Some(at("07T12"))), [State::Open]);
    assert_eq!(state(None), [State::Fixed]);
}

#[test]
fn many_images_are_recorded_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut ledger = open(folder.path());
    let names: Vec<&'static str> =
        (0..600).map(|number| &*Box::leak(format!("image-{number}").into_boxed_str())).collect();
    let events: Vec<Event> =
        names.iter().map(|name| Of(name).detected("10T00", 'a', CVE, Level::High)).collect();
    assert_eq!(ledger.record(&events, at("10T00")), Ok(recorded(600, 0)));
    assert_eq!(ledger.record(&events, at("10T00")), Ok(recorded(0, 600)));
    let history = ledger.history(None, None).expect("read");
    let cve: VulnId = CVE.parse().expect("a name");
    assert_eq!(history.exposures().filter(|(_, exposure)| exposure.cve == cve).count(), 600);
}
