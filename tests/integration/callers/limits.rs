//! Quotas of callers, and how an address that keeps failing is slowed without shutting out a caller
//! at the same address.

use std::time::{Duration, Instant};

use aws_ilm::sandbox::{Fault, FaultKind};

use crate::callers::{ALL, caller, key, world};

#[tokio::test]
async fn a_caller_over_its_quota_is_told_when_to_come_back_and_others_are_served() {
    let (busy, busy_digest) = key();
    let (other, other_digest) = key();
    let callers = caller("busy", &[&busy_digest], &format!("{ALL}\nrequests_per_second = 0.01"))
        + &caller("other", &[&other_digest], ALL);
    let (world, _file) = world(&callers, &[]).await;
    let first = world.get_user(&[("x-api-key", &busy)]).await;
    assert_eq!(first.status, 200);
    assert_eq!(first.header("ratelimit-policy"), Some("\"caller\";q=1;w=100"));
    assert_eq!(first.header("ratelimit"), Some("\"caller\";r=0;t=100"));
    world.sandbox.reset_calls();
    let second = world.get_user(&[("x-api-key", &busy)]).await;
    assert_eq!(second.status, 429, "{}", second.text);
    assert_eq!(second.json()["type"], "/problems/too-many-requests");
    let wait: u64 = second.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=100).contains(&wait), "{wait}");
    assert!(second.header("ratelimit").unwrap().starts_with("\"caller\";r=0;t="));
    world.assert_calls(&[]);
    let others = world.get_user(&[("x-api-key", &other)]).await;
    assert_eq!(
        (others.status, others.header("ratelimit-policy")),
        (200, Some("\"caller\";q=50;w=1"))
    );
    // Routes that are open cost nothing and say nothing.
    assert_eq!(world.get("/health/live").await.header("ratelimit"), None);
}

#[tokio::test]
async fn a_place_is_held_until_the_command_has_ended_even_when_its_caller_hangs_up() {
    let (key, digest) = key();
    let (world, _file) = world(
        &caller("a", &[&digest], &format!("{ALL}\nconcurrent_requests = 1")),
        &[],
    )
    .await;
    world.sandbox.script(
        Fault::new(FaultKind::Slow {
            milliseconds: 1_500,
            work_late: false,
        })
        .forever(),
    );
    let fields = [("x-api-key", key.as_str())];
    let begin = Instant::now();
    // Hangs up after a moment.
    let hung_up = tokio::time::timeout(Duration::from_millis(300), world.get_user(&fields)).await;
    assert!(hung_up.is_err());
    let refused = world.get_user(&fields).await;
    if begin.elapsed() < Duration::from_millis(1_300) {
        assert_eq!(refused.status, 429, "{}", refused.text);
        assert_eq!(refused.header("retry-after"), Some("1"));
    }
    world.sandbox.clear_faults();
    for _ in 0..100 {
        if world.get_user(&fields).await.status == 200 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the place was not given back");
}

/// Hostile input 59, a thousand wrong keys a second: 429 for that address; good keys go on; a
/// number in the log.
#[tokio::test]
async fn an_address_that_keeps_failing_is_slowed_and_a_good_key_from_it_is_not() {
    let (good, digest) = key();
    let (world, _file) = world(
        &caller("a", &[&digest], &format!("{ALL}\nrequests_per_second = 1000")),
        &[],
    )
    .await;
    let mut statuses = Vec::new();
    for _ in 0..60 {
        let (wrong, _) = key();
        let answer = world.get_user(&[("x-api-key", &wrong)]).await;
        if answer.status == 429 {
            assert_eq!(answer.header("retry-after"), Some("1"));
            assert_eq!(answer.header("ratelimit"), None);
        }
        statuses.push(answer.status);
        assert_eq!(world.get_user(&[("x-api-key", &good)]).await.status, 200);
    }
    assert!(statuses[..10].iter().all(|status| *status == 401), "{statuses:?}");
    let slowed = statuses.iter().filter(|status| **status == 429).count();
    assert!(slowed >= 20, "{statuses:?}");
}

/// Hostile input 49, header fields that name another address: change nothing.
#[tokio::test]
async fn whose_failures_they_are_is_a_trusted_proxys_word_only() {
    let (_, digest) = key();
    for (trusted, slowed) in [("", true), ("127.0.0.0/8", false)] {
        let (world, _file) = world(&caller("a", &[&digest], ALL), &[("AWS_ILM_TRUSTED_PROXIES", trusted)]).await;
        let mut statuses = Vec::new();
        for host in 0..30 {
            // Each from an address of its own, or so it says.
            let address = format!("198.51.100.{host}");
            statuses.push(
                world
                    .get_user(&[("x-forwarded-for", &address), ("forwarded", "for=192.0.2.1")])
                    .await
                    .status,
            );
        }
        assert_eq!(statuses.contains(&429), slowed, "{trusted:?}: {statuses:?}");
    }
}
