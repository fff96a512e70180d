use super::*;
use crate::protocol::announcement::Announcement;
use crate::protocol::text::Line;

fn lab(people: u32) -> Parlor {
    let id = Uuid::from_u128(7);
    let name = Line::lossy("lab");
    let said = Announcement { id, name, port: 7878, people, open: true, fingerprint: None };
    Parlor { said, addresses: vec!["10.0.0.1".parse().unwrap()] }
}

/// What is printed of what is heard, one thing a second, and how it ends.
async fn printed(json: bool, follow: bool, all: Vec<Heard>) -> (String, End) {
    let mut printed = Vec::new();
    let output = Output::new(&mut printed, CancellationToken::new());
    let what = What { json, wait: Duration::from_secs(10), follow };
    let (settling, listed) = (Vec::new(), Vec::new());
    let mut finding =
        Finding { what, columns: Columns(None), output, settling, printed: listed, headed: false };
    let (heard, hearing) = mpsc::channel(1);
    tokio::spawn(async move {
        for news in all {
            tokio::time::sleep(Duration::from_secs(1)).await;
            drop(heard.send(news).await);
        }
        // Looking has no end of its own; one who follows is stopped by this.
        tokio::time::sleep(Duration::from_secs(if follow { 1 } else { 100 })).await;
    });
    let end = finding.hear(hearing, Instant::now() + Duration::from_secs(10)).await.unwrap();
    (String::from_utf8(printed).unwrap(), end)
}

#[tokio::test(start_paused = true)]
async fn what_is_found_in_time_is_listed_once() {
    let all = vec![Heard::Here(lab(0)), Heard::Here(lab(1)), Heard::Trouble("no broadcast".to_owned())];
    let (printed, end) = printed(false, false, all).await;
    insta::assert_snapshot!(printed, @"
    NAME                                      PEOPLE      DOOR                ADDRESS
    lab                                       nobody      open, no TLS        10.0.0.1:7878
    ");
    assert_eq!(end, End::Done);
}

#[tokio::test(start_paused = true)]
async fn nothing_found_is_a_failure() {
    assert_eq!(printed(false, false, Vec::new()).await, (String::new(), End::Failed));
    // One that went before its line was written was not found.
    let all = (0..12).map(|_| Heard::Gone(Uuid::from_u128(7))).collect();
    assert_eq!(printed(true, false, all).await, (String::new(), End::Failed));
}

#[tokio::test(start_paused = true)]
async fn who_follows_reads_what_changes() {
    let all =
        || vec![Heard::Here(lab(0)), Heard::Here(lab(1)), Heard::Here(lab(1)), Heard::Gone(lab(0).said.id)];
    insta::assert_snapshot!(printed(false, true, all()).await.0, @"
    + lab                                       nobody      open, no TLS        10.0.0.1:7878
    ~ lab                                       1 person    open, no TLS        10.0.0.1:7878
    - lab                                       1 person    open, no TLS        10.0.0.1:7878
    ");
    insta::assert_snapshot!(printed(true, true, all()).await.0, @r#"
    {"type":"parlor","id":"00000000-0000-0000-0000-000000000007","name":"lab","port":7878,"people":0,"open":true,"addresses":["10.0.0.1:7878"]}
    {"type":"parlor","id":"00000000-0000-0000-0000-000000000007","name":"lab","port":7878,"people":1,"open":true,"addresses":["10.0.0.1:7878"]}
    {"type":"gone","id":"00000000-0000-0000-0000-000000000007"}
    "#);
}
