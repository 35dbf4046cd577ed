//! When keys are fetched, which requests wait for them, and how long they are kept.

use super::*;

#[tokio::test]
async fn requests_that_wait_share_one_fetch() {
    let release = Arc::new(Notify::new());
    let server = Server::start(Script::Released(Arc::clone(&release), key_set(&[&signer("a")]))).await;
    let keys = server.keys();
    let mut waiting = tokio::task::JoinSet::new();
    for number in 0..MAX_WAITING {
        let keys = Arc::clone(&keys);
        waiting.spawn(async move { find(&keys, if number % 2 == 0 { "a" } else { "b" }).await });
    }
    until(async || server.key_requests() == 1 && keys.waiting.available_permits() == 0).await;
    // Further requests are answered from the cache: there are no keys yet.
    for _ in 0..100 {
        assert_eq!(find(&keys, "a").await, UNAVAILABLE);
    }
    assert_eq!(waiting.len(), MAX_WAITING);
    release.notify_one();
    let found = waiting.join_all().await;
    assert_eq!(found.iter().filter(|found| found.is_ok()).count(), MAX_WAITING / 2);
    assert_eq!(found.iter().filter(|found| **found == UNKNOWN).count(), MAX_WAITING / 2);
    assert_eq!(server.key_requests(), 1);
}

#[tokio::test]
async fn unknown_key_ids_lead_to_one_fetch_in_thirty_seconds() {
    let server = Server::start(body(&[&signer("a")])).await;
    let keys = server.keys();
    for round in 1..=3 {
        for number in 0..500 {
            assert_eq!(find(&keys, &format!("made up {number}")).await, UNKNOWN);
        }
        assert_eq!(server.key_requests(), round);
        advance(MIN_FETCH_INTERVAL).await;
    }
}

#[tokio::test]
async fn an_issuer_that_fails_is_called_no_more_often() {
    let server = Server::start(Script::Raw("HTTP/1.1 500 Oh\r\nconnection: close\r\n\r\n".to_owned())).await;
    let keys = server.keys();
    for round in 1..=3 {
        for _ in 0..100 {
            assert_eq!(find(&keys, "a").await, UNAVAILABLE);
        }
        assert_eq!(server.key_requests(), round);
        advance(MIN_FETCH_INTERVAL).await;
    }
}

#[tokio::test]
async fn a_request_whose_key_is_cached_does_not_wait() {
    let server = Server::start(body(&[&signer("a")])).await;
    let keys = server.keys();
    assert_eq!(find(&keys, "a").await, Ok(()));
    server.answer(Script::Hang);
    advance(MIN_FETCH_INTERVAL).await;
    let unknown = tokio::spawn({
        let keys = Arc::clone(&keys);
        async move { find(&keys, "made up").await }
    });
    until(async || server.key_requests() == 2).await;
    for _ in 0..100 {
        assert_eq!(find(&keys, "a").await, Ok(()));
    }
    assert!(!unknown.is_finished(), "a request for an unknown key waits");
}

#[tokio::test]
async fn a_new_key_is_found_and_a_withdrawn_one_is_not() {
    let [old, new] = ["old", "new"].map(signer);
    let server = Server::start(body(&[&old])).await;
    let keys = server.keys();
    assert_eq!(find(&keys, "old").await, Ok(()));
    server.answer(body(&[&new]));
    assert_eq!(find(&keys, "new").await, UNKNOWN, "fetched a moment ago");
    assert_eq!(find(&keys, "old").await, Ok(()));
    advance(MIN_FETCH_INTERVAL).await;
    assert_eq!(find(&keys, "new").await, Ok(()));
    assert_eq!(find(&keys, "old").await, UNKNOWN);
    assert_eq!(server.key_requests(), 2);
}

#[tokio::test]
async fn a_cancelled_request_does_not_stop_the_fetch_for_others() {
    let release = Arc::new(Notify::new());
    let server = Server::start(Script::Released(Arc::clone(&release), key_set(&[&signer("a")]))).await;
    let keys = server.keys();
    let cancelled = tokio::spawn({
        let keys = Arc::clone(&keys);
        async move { find(&keys, "made up").await }
    });
    until(async || server.key_requests() == 1).await;
    cancelled.abort();
    assert!(cancelled.await.unwrap_err().is_cancelled());
    release.notify_one();
    assert_eq!(find(&keys, "a").await, Ok(()));
    assert_eq!(server.key_requests(), 1);
}

/// The clock stands still until nothing else is left to do, and then jumps to the next time-out.
#[tokio::test(start_paused = true)]
async fn a_request_waits_five_seconds_for_an_issuer_that_hangs() {
    for script in [Script::Hang, Script::Stall] {
        let server = Server::start(script).await;
        let keys = server.keys();
        let start = Instant::now();
        assert_eq!(find(&keys, "a").await, UNAVAILABLE);
        assert!(
            start.elapsed() <= fetch::TIMEOUT + Duration::from_secs(1),
            "{:?}",
            start.elapsed()
        );
    }
}

#[tokio::test]
async fn keys_of_an_issuer_that_is_down_are_kept_for_a_day() {
    let a = signer("a");
    let server = Server::start(body(&[&a])).await;
    let keys = server.keys();
    assert_eq!(find(&keys, "a").await, Ok(()));
    server.answer(Script::Raw("HTTP/1.1 503 Down\r\nconnection: close\r\n\r\n".to_owned()));
    advance(23 * HOUR).await;
    assert_eq!(find(&keys, "a").await, Ok(()));
    advance(HOUR + MIN_FETCH_INTERVAL).await;
    assert_eq!(find(&keys, "a").await, UNAVAILABLE);
    assert_eq!(find(&keys, "b").await, UNAVAILABLE);
    server.answer(body(&[&a]));
    advance(MIN_FETCH_INTERVAL).await;
    assert_eq!(find(&keys, "a").await, Ok(()));
    assert_eq!(keys.cache().error, None);
}

#[tokio::test]
async fn an_issuer_that_withdraws_all_its_keys_has_none() {
    let server = Server::start(body(&[&signer("a")])).await;
    let keys = server.keys();
    assert_eq!(find(&keys, "a").await, Ok(()));
    server.answer(body(&[]));
    advance(MIN_FETCH_INTERVAL).await;
    assert_eq!(find(&keys, "b").await, UNKNOWN);
    assert_eq!(find(&keys, "a").await, UNKNOWN);
}

#[tokio::test]
async fn keys_are_fetched_again_before_they_go_stale() {
    let [old, new] = ["old", "new"].map(signer);
    let with_age = |signer| {
        let body = key_set(&[signer]);
        let length = body.len();
        Script::Raw(format!(
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncache-control: max-age=600\r\ncontent-length: {length}\r\n\r\n{body}"
        ))
    };
    let server = Server::start(with_age(&old)).await;
    let keys = server.keys();
    let refresher = tokio::spawn(Arc::clone(&keys).keep_fresh());
    until(async || keys.current_set().is_some()).await;
    server.answer(with_age(&new));
    advance(7 * MINUTE).await;
    assert_eq!(find(&keys, "old").await, Ok(()));
    assert_eq!(server.key_requests(), 1);
    advance(MINUTE).await;
    until(async || find(&keys, "new").await.is_ok()).await;
    assert_eq!(server.key_requests(), 2);
    refresher.abort();
    drop(refresher.await);
    advance(HOUR).await;
    assert_eq!(server.key_requests(), 2, "ends with its task");
    assert_eq!(
        find(&keys, "new").await,
        Ok(()),
        "without it, the first request starts the fetch"
    );
    until(async || server.key_requests() == 3).await;
}

#[tokio::test]
async fn keep_fresh_tries_again_until_the_issuer_is_there() {
    let server = Server::start(Script::Raw(
        "HTTP/1.1 502 Not yet\r\nconnection: close\r\n\r\n".to_owned(),
    ))
    .await;
    let keys = server.keys();
    let refresher = tokio::spawn(Arc::clone(&keys).keep_fresh());
    until(async || keys.cache().error.is_some()).await;
    server.answer(body(&[&signer("a")]));
    advance(MIN_FETCH_INTERVAL).await;
    until(async || keys.current_set().is_some()).await;
    assert_eq!(server.key_requests(), 2);
    refresher.abort();
}
