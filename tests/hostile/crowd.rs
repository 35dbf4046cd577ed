//! Many connections of one habit.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::atomic::{AtomicU8, Ordering},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time::timeout,
};

use crate::frames;

const HEAD: &str = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n";

/// How many requests are sent at once.
const PIPELINED: usize = 1_000;

/// What a connection does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habit {
    /// Nothing.
    Silent,
    /// Half a header section, then the end of what it sends.
    HalfOpen,
    /// A header section, a byte at a time.
    DripsHeaders,
    /// A body, a byte at a time.
    DripsBody,
    /// Asks for the longest answer there is, and does not read it.
    NeverReads,
    /// A thousand requests at once, again and again.
    Pipelines,
    /// HTTP/2: requests that are taken back at once.
    Resets,
    /// HTTP/2: header blocks without end.
    ContinuesHeaders,
}

/// The connections of one habit.
pub(crate) struct Crowd {
    habit: Habit,
    streams: Vec<TcpStream>,
}

impl Crowd {
    /// Opens so many, or as many as are let in.
    pub(crate) async fn gather(address: SocketAddr, habit: Habit, count: usize) -> Self {
        // Each crowd has an address of its own, or the ports of the one before, which are kept for
        // a while, would be missing.
        static LAST: AtomicU8 = AtomicU8::new(1);
        let own = Ipv4Addr::new(127, 0, 0, LAST.fetch_add(1, Ordering::Relaxed) + 1);
        let mut streams = Vec::new();
        for _ in 0..count {
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind((own, 0).into()).unwrap();
            let Ok(Ok(mut stream)) = timeout(Duration::from_secs(5), socket.connect(address)).await else {
                break;
            };
            // It may have had to give way already.
            let _begun = stream.write_all(&begin(habit)).await;
            if habit == Habit::HalfOpen {
                let _ended = stream.shutdown().await;
            }
            streams.push(stream);
        }
        Self { habit, streams }
    }

    pub(crate) fn len(&self) -> usize {
        self.streams.len()
    }

    /// Goes on with the habit for so long.
    pub(crate) async fn go_on(&self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            for stream in &self.streams {
                let _full_or_closed = match self.habit {
                    Habit::DripsHeaders => stream.try_write(b"x"),
                    Habit::DripsBody => stream.try_write(b" "),
                    Habit::Silent
                    | Habit::HalfOpen
                    | Habit::NeverReads
                    | Habit::Pipelines
                    | Habit::Resets
                    | Habit::ContinuesHeaders => Ok(0),
                };
            }
            match self.habit {
                Habit::Pipelines | Habit::Resets | Habit::ContinuesHeaders => self.storm(end).await,
                Habit::Silent | Habit::HalfOpen | Habit::DripsHeaders | Habit::DripsBody | Habit::NeverReads => {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            }
        }
    }

    /// New connections, as many at once as the crowd has, each of which sends all that it has.
    async fn storm(&self, end: Instant) {
        let Some(address) = self.streams.iter().find_map(|stream| stream.peer_addr().ok()) else {
            return;
        };
        let mut each = JoinSet::new();
        for _ in 0..self.streams.len() {
            let habit = self.habit;
            each.spawn(async move {
                let Ok(stream) = TcpStream::connect(address).await else {
                    return;
                };
                let (mut reader, mut writer) = stream.into_split();
                let whole = storm_of(habit);
                let left = end.saturating_duration_since(Instant::now()) + Duration::from_secs(1);
                // A refused connection is closed, or its further bytes are not read.
                let talk = async { tokio::join!(writer.write_all(&whole), read_all(&mut reader)) };
                let _over = timeout(left, talk).await;
            });
        }
        each.join_all().await;
    }
}

async fn read_all(reader: &mut (impl tokio::io::AsyncRead + Unpin)) {
    let mut part = [0; 16_384];
    while matches!(reader.read(&mut part).await, Ok(1..)) {}
}

fn begin(habit: Habit) -> Vec<u8> {
    match habit {
        Habit::Silent | Habit::Pipelines => Vec::new(),
        Habit::HalfOpen | Habit::DripsHeaders => format!("{HEAD}X: ").into_bytes(),
        Habit::DripsBody => {
            "POST /commands/iam-get-user HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                             Content-Length: 1000\r\n\r\n{"
                .into()
        }
        Habit::NeverReads => HEAD
            .replace("/health/live", "/docs/swagger-ui-bundle.js")
            .into_bytes()
            .into_iter()
            .chain(*b"\r\n")
            .collect(),
        Habit::Resets | Habit::ContinuesHeaders => frames::begin(),
    }
}

fn storm_of(habit: Habit) -> Vec<u8> {
    match habit {
        Habit::Resets => [frames::begin(), (0..5_000).flat_map(frames::opened_and_reset).collect()].concat(),
        Habit::ContinuesHeaders => {
            let more = frames::continued(&frames::long_field()).repeat(2_000);
            [frames::begin(), frames::unfinished(), more].concat()
        }
        Habit::Silent
        | Habit::HalfOpen
        | Habit::DripsHeaders
        | Habit::DripsBody
        | Habit::NeverReads
        | Habit::Pipelines => {
            let requests = format!("{HEAD}\r\n").repeat(PIPELINED - 1);
            format!("{requests}{HEAD}Connection: close\r\n\r\n").into_bytes()
        }
    }
}
