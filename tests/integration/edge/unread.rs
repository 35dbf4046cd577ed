//! Refusals reach a sender that is still sending its body, over both versions of HTTP.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Bytes, HttpBody};
use hyper::body::Frame;
use reqwest::Client;

use crate::{
    callers::{caller, key, world},
    harness::{World, answer},
};

const CHUNK: usize = 1024;

/// Nothing takes this long; a test that waits it out has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// A body that comes in chunks, each a little later than the one before.
struct Slow {
    /// How many chunks are still to come; `None` for a body that stops without an end after the
    /// first.
    left: Option<usize>,
    sent: Arc<AtomicUsize>,
    turns: usize,
}

impl Slow {
    /// A body, and the count of the chunks that were taken of it.
    fn new(chunks: Option<usize>) -> (Self, Arc<AtomicUsize>) {
        let sent = Arc::new(AtomicUsize::new(0));
        let body = Self {
            left: chunks,
            sent: Arc::clone(&sent),
            turns: 0,
        };
        (body, sent)
    }
}

impl HttpBody for Slow {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == Some(0) {
            return Poll::Ready(None);
        }
        if self.left.is_none() && self.sent.load(Ordering::SeqCst) > 0 {
            return Poll::Pending;
        }
        self.turns += 1;
        // Others have their turn in between, the answer among them.
        if !self.turns.is_multiple_of(20) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.left = self.left.map(|left| left - 1);
        self.sent.fetch_add(1, Ordering::SeqCst);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b' '; CHUNK])))))
    }
}

fn clients() -> [(&'static str, Client); 2] {
    let builder = || Client::builder().no_proxy().timeout(PATIENCE).tls_certs_only([]);
    [
        ("HTTP/1.1", builder().build().unwrap()),
        ("HTTP/2", builder().http2_prior_knowledge().build().unwrap()),
    ]
}

/// A world in which a caller with a right lacks another one, and one has spent its quota.
async fn refusing() -> (World, crate::process::File, [String; 3]) {
    let keys = [key(), key(), key()];
    let callers = [
        caller("all", &[&keys[0].1], "commands = [\"*\"]\ninstances = [\"*\"]"),
        caller(
            "reader",
            &[&keys[1].1],
            "commands = [\"iam-get-user\"]\ninstances = [\"*\"]",
        ),
        caller(
            "spent",
            &[&keys[2].1],
            "commands = [\"*\"]\ninstances = [\"*\"]\nrequests_per_second = 0.001",
        ),
    ];
    let (world, file) = world(&callers.concat(), &[]).await;
    world.get_user(&[("x-api-key", &keys[2].0)]).await;
    (world, file, keys.map(|(key, _)| key))
}

#[tokio::test]
async fn every_refusal_arrives_while_its_body_is_being_sent() {
    let (world, _file, [all, reader, spent]) = refusing().await;
    const JSON: (&str, &str) = ("content-type", "application/json");
    for (version, client) in clients() {
        for (path, fields, status) in [
            ("/commands/iam-disable-user", vec![JSON], 401),
            ("/commands/iam-disable-user", vec![JSON, ("x-api-key", &reader)], 403),
            ("/commands/iam-disable-usr", vec![JSON, ("x-api-key", &all)], 404),
            (
                "/commands/iam-disable-user?instance=none",
                vec![JSON, ("x-api-key", &all)],
                404,
            ),
            ("/instances", vec![JSON, ("x-api-key", &all)], 405),
            (
                "/commands/iam-disable-user",
                vec![("content-type", "text/plain"), ("x-api-key", &all)],
                415,
            ),
            ("/commands/iam-disable-user", vec![JSON, ("x-api-key", &spent)], 429),
        ] {
            for chunks in [Some(1), Some(40), Some(2_000), None] {
                let (body, sent) = Slow::new(chunks);
                let request = client.post(world.url(path)).body(reqwest::Body::wrap(body));
                let request = fields
                    .iter()
                    .fold(request, |request, (name, value)| request.header(*name, *value));
                let answer = answer(request).await;
                let context = format!("{version} {path} {chunks:?}");
                assert_eq!(answer.status, status, "{context}: {}", answer.text);
                assert_eq!(answer.json()["status"], status, "{context}");
                if let Some(chunks @ ..=40) = chunks {
                    assert_eq!(sent.load(Ordering::SeqCst), chunks, "{context}");
                }
            }
        }
    }
}
