//! Looks with both ears until nobody listens any more. The one place of this folder that knows the time.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::Heard;
use super::datagrams::Datagrams;
use super::mdns::{News, Services};
use super::table::Table;

/// When questions are asked at first, after the beginning: a datagram may be lost, and somebody is waiting.
const AT_FIRST: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];

/// Time from one question to the next, from then on. Three of them unanswered are within [`super::GONE_WITHIN`].
const EVERY: Duration = Duration::from_secs(5);

/// Time for an answer. A crowded Wi-Fi holds broadcasts back for some tenths of a second.
const ANSWERED_WITHIN: Duration = Duration::from_millis(1_500);

/// At least this long between a question and one more that a doubt makes necessary.
const PAUSE: Duration = Duration::from_secs(1);

/// How long it is gone without multicast DNS where it cannot be heard, before it is tried again.
const DEAF_FOR: Duration = Duration::from_secs(30);

/// Until multicast DNS is listened to again, after so much was announced that it made no sense any more.
const AFTER_A_FLOOD: Duration = Duration::from_secs(5);

/// Looks until the receiver of `heard` is dropped.
pub(super) async fn run(heard: mpsc::Sender<Heard>) {
    let now = Instant::now();
    let mut looking = Looking {
        table: Table::default(),
        datagrams: Datagrams::new(),
        services: None,
        services_at: Some(now),
        asked: 0,
        last_asked: now,
        extra: AT_FIRST.map(|after| now + after).into(),
        regular: now + EVERY,
        judgements: VecDeque::new(),
        troubles: VecDeque::new(),
        deaf: None,
        silent: None,
    };
    loop {
        let next = looking.next_time();
        tokio::select! {
            () = heard.closed() => return,
            place = heard.reserve(), if looking.has_news() => match (place, looking.next_news()) {
                (Ok(place), Some(news)) => place.send(news),
                (Ok(_), None) => {}
                (Err(_), _) => return,
            },
            answer = looking.datagrams.answer() => {
                looking.table.answered(answer.said, answer.from, answer.question);
            }
            news = news(&mut looking.services) => looking.take(news),
            () = sleep_until(next) => looking.tick(Instant::now()).await,
        }
    }
}

async fn news(services: &mut Option<Services>) -> News {
    match services {
        Some(services) => services.news().await,
        None => std::future::pending().await,
    }
}

struct Looking {
    table: Table,
    datagrams: Datagrams,
    services: Option<Services>,
    /// When to begin to listen to multicast DNS.
    services_at: Option<Instant>,
    /// The number of the last question.
    asked: u64,
    last_asked: Instant,
    /// Questions beside the regular ones; the first is the next.
    extra: VecDeque<Instant>,
    /// The next regular one.
    regular: Instant,
    /// When the time for the answers to a question is over, its number, and whether it is one of the regular ones.
    judgements: VecDeque<(Instant, u64, bool)>,
    /// What does not work and was not told yet.
    troubles: VecDeque<String>,
    /// Why multicast DNS cannot be heard, as it was told last.
    deaf: Option<String>,
    /// What does not work with datagrams, as it was told last.
    silent: Option<String>,
}

impl Looking {
    fn next_time(&self) -> Instant {
        let judgement = self.judgements.front().map(|(at, ..)| *at);
        let times = [self.extra.front().copied(), self.services_at, judgement];
        times.into_iter().flatten().fold(self.regular, Instant::min)
    }

    fn has_news(&self) -> bool {
        !self.troubles.is_empty() || self.table.has_news()
    }

    fn next_news(&mut self) -> Option<Heard> {
        self.troubles.pop_front().map(Heard::Trouble).or_else(|| self.table.next())
    }

    /// Does what the time has come for.
    async fn tick(&mut self, now: Instant) {
        while let Some((_, asked, counts)) = self.judgements.pop_front_if(|(at, ..)| *at <= now) {
            let doubtful = self.table.judge(asked, counts);
            if let Some(services) = &self.services {
                doubtful.into_iter().for_each(|instance| services.confirm(instance));
            }
        }
        if self.services_at.take_if(|at| *at <= now).is_some() {
            match Services::start() {
                Ok(services) => self.services = Some(services),
                Err(sentence) => {
                    if self.deaf.as_ref() != Some(&sentence) {
                        self.trouble(sentence.clone());
                    }
                    self.deaf = Some(sentence);
                    self.services_at = Some(now + DEAF_FOR);
                }
            }
        }
        let regular = self.regular <= now;
        if regular || self.extra.pop_front_if(|at| *at <= now).is_some() {
            self.ask(now, regular).await;
        }
    }

    async fn ask(&mut self, now: Instant, regular: bool) {
        if regular {
            self.regular = now + EVERY;
        }
        let flooded = match &self.services {
            Some(services) => services.is_flooded().await,
            None => false,
        };
        if flooded {
            self.take(News::Flooded);
        }
        self.asked += 1;
        self.last_asked = now;
        self.judgements.push_back((now + ANSWERED_WITHIN, self.asked, regular));
        let silent = self.datagrams.ask(self.asked).await.err();
        if silent != self.silent {
            self.silent = silent;
            self.silent.clone().into_iter().for_each(|sentence| self.trouble(sentence));
        }
    }

    /// Whoever does not listen is not told the same twice.
    fn trouble(&mut self, sentence: String) {
        if !self.troubles.contains(&sentence) {
            self.troubles.push_back(sentence);
        }
    }

    fn take(&mut self, news: News) {
        match news {
            News::Resolved { instance, said, reach } => self.table.resolved(&instance, said, reach),
            News::Removed { instance } => {
                // It may have been there all the time, and its answer was lost.
                if self.table.removed(&instance, self.asked)
                    && let Some(services) = &mut self.services
                {
                    services.again();
                }
                if self.extra.is_empty() && self.table.in_doubt() {
                    self.extra.push_back(self.last_asked + PAUSE);
                }
            }
            News::Flooded => {
                self.table.forget_services(self.asked);
                self.services = None;
                self.services_at = Some(Instant::now() + AFTER_A_FLOOD);
                self.trouble(
                    "more is announced by multicast DNS than can be true: going on by broadcast for a while"
                        .to_owned(),
                );
            }
        }
    }
}
