//! API keys: the forms in which they are presented, what is none, and how they are exchanged while
//! the service runs.

use std::time::{Duration, Instant};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    callers::{ALL, caller, key, replace, world},
    harness::{World, answer},
    process::{File, Running, run},
};

/// A revocation works within two seconds, says the documentation; a loaded machine gets some more.
const PATIENCE: Duration = Duration::from_secs(10);

async fn until_status(world: &World, key: &str, status: u16) {
    let begin = Instant::now();
    while world.get_user(&[("x-api-key", key)]).await.status != status {
        assert!(begin.elapsed() < PATIENCE, "not {status} in time");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// - Hostile input 53, no key, half a key, two: 401.
/// - Hostile input 54, a key of strange characters or size: 401, 431.
/// - Hostile input 55, nearly the right key: 401.
#[tokio::test]
async fn a_key_is_good_in_either_field_and_every_other_credential_gets_one_and_the_same_answer() {
    let (first, first_digest) = key();
    let (second, second_digest) = key();
    let (strange, _) = key();
    let (expired, expired_digest) = key();
    let mut callers = caller("hr", &[&first_digest, &second_digest], ALL);
    callers += &format!(
        "[[callers]]\nname = \"former\"\napi_keys = [{{ sha256 = \"{expired_digest}\", expires = 2020-01-01 }}]\n{ALL}\n"
    );
    let (world, _file) = world(&callers, &[("AWS_ILM_TRUSTED_PROXIES", "127.0.0.1")]).await;
    for good in [
        ("x-api-key", first.clone()),
        ("X-API-KEY", second.clone()),
        ("authorization", format!("Bearer {first}")),
        ("authorization", format!("bearer {second}")),
    ] {
        let answer = world.get_user(&[(good.0, &good.1)]).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    world.sandbox.reset_calls();
    let bearer = |text: &str| format!("Bearer {text}");
    let other_case = first.to_uppercase().replace("ILM_", "ilm_");
    assert_ne!(other_case, first);
    let rows: Vec<Vec<(&str, String)>> = vec![
        vec![],
        vec![("x-api-key", String::new())],
        vec![("x-api-key", strange.clone())],
        vec![("x-api-key", expired)],
        vec![("x-api-key", format!("{first}0"))],
        vec![("x-api-key", first[..first.len() - 1].to_owned())],
        vec![("x-api-key", first[..12].to_owned())],
        vec![("x-api-key", other_case)],
        vec![("x-api-key", first_digest)],
        vec![("authorization", "Bearer".to_owned())],
        vec![("authorization", "Bearer ".to_owned())],
        vec![("authorization", "bearer  x".to_owned())],
        vec![("authorization", bearer("x"))],
        vec![("authorization", bearer("a.b.c"))],
        vec![("authorization", format!("Basic {first}"))],
        vec![("authorization", first.clone())],
        vec![("authorization", format!("Bearer {first}, Bearer {first}"))],
        vec![("authorization", bearer(&first)), ("authorization", bearer(&first))],
        vec![("authorization", bearer(&first)), ("x-api-key", first.clone())],
        vec![("x-api-key", first.clone()), ("x-api-key", first.clone())],
        vec![("x-api-key", first.replace('_', "é"))],
        vec![("cookie", format!("api_key={first}"))],
    ];
    let mut answers = std::collections::BTreeSet::new();
    for (index, row) in rows.iter().enumerate() {
        let mut fields: Vec<(&str, &str)> = row.iter().map(|(name, value)| (*name, value.as_str())).collect();
        // Each from an address of its own, so that none is slowed.
        let address = format!("198.51.100.{index}");
        fields.push(("x-forwarded-for", &address));
        let answer = world.get_user(&fields).await;
        assert_eq!(answer.status, 401, "row {index}: {}", answer.text);
        assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"aws-ilm\""));
        let mut problem = answer.json();
        assert_eq!(problem["type"], "/problems/unauthorised");
        problem["requestId"] = "".into();
        answers.insert(problem.to_string());
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    let in_query = world
        .post(&format!("/commands/iam-get-user?api_key={first}"), &super::somebody())
        .await;
    assert_eq!(in_query.status, 401);
    world.assert_calls(&[]);
}

/// Hostile input 58, a key that was revoked or has expired: 401 within two seconds.
#[tokio::test]
async fn keys_are_exchanged_and_revoked_while_the_service_runs() {
    let (old, old_digest) = key();
    let (new, new_digest) = key();
    let (world, file) = world(&caller("hr", &[&old_digest], ALL), &[]).await;
    until_status(&world, &old, 200).await;
    replace(file.path(), &caller("hr", &[&old_digest, &new_digest], ALL));
    until_status(&world, &new, 200).await;
    assert_eq!(world.get_user(&[("x-api-key", &old)]).await.status, 200);
    replace(file.path(), &caller("hr", &[&new_digest], ALL));
    until_status(&world, &old, 401).await;
    assert_eq!(world.get_user(&[("x-api-key", &new)]).await.status, 200);
    // A file with a fault, or none at all, changes nothing, until it is mended.
    replace(file.path(), "[[callers]\n");
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(world.get_user(&[("x-api-key", &new)]).await.status, 200);
    std::fs::remove_file(file.path()).unwrap();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(world.get_user(&[("x-api-key", &new)]).await.status, 200);
    // An empty list of callers is valid, and does not open the service.
    replace(file.path(), "");
    until_status(&world, &new, 401).await;
    assert!(matches!(world.get_user(&[]).await.status, 401 | 429));
}

#[test]
fn a_key_is_made_shown_once_and_works_with_the_lines_that_are_printed_for_it() {
    let made = run(&["key", "new", "--name", "work day", "--expires", "2999-12-31"], &[]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let (key, lines) = made.stdout.split_once('\n').unwrap();
    assert!(key.starts_with("ilm_") && !lines.contains(key) && !made.stderr.contains(key));
    assert!(
        lines.contains("name = \"work day\"") && lines.contains("expires = 2999-12-31"),
        "{lines}"
    );
    let allowed = lines
        .replace("commands = []", "commands = [\"read\"]")
        .replace("instances = []", "instances = [\"*\"]");
    let file = File::new(&allowed);
    let (service, address) = Running::serve(&["--sandbox"], &[("AWS_ILM_CALLERS_FILE", file.path())]);
    let ask = |key: &str| {
        let url = format!("http://{address}/commands/iam-get-user");
        let request = crate::harness::caller()
            .post(url)
            .header("x-api-key", key)
            .json(&super::somebody());
        tokio::runtime::Runtime::new().unwrap().block_on(answer(request)).status
    };
    assert_eq!(ask(key), 200);
    assert_eq!(ask(&key.replace("ilm_", "ilm_0")), 401);
    service.terminate();
    assert_eq!(service.code(), Some(0));
    assert!(!service.stderr.text().contains(key) && !service.stdout.text().contains(key));

    for arguments in [
        &["key", "new"][..],
        &["key", "new", "--name", ""],
        &["key", "new", "--name", "a\nb"],
        &["key", "new", "--name", "a", "--expires", "2020-01-01"],
        &["key", "new", "--name", "a", "--expires", "soon"],
    ] {
        let refused = run(arguments, &[]);
        assert_eq!(
            (refused.code, refused.stdout.as_str()),
            (Some(2), ""),
            "{arguments:?}: {}",
            refused.stderr
        );
    }
}

/// Hostile input 54, a key of strange characters or size: 401, 431.
#[tokio::test]
async fn a_key_that_holds_a_megabyte_is_refused() {
    let (_, digest) = key();
    let (world, _file) = world(&caller("a", &[&digest], ALL), &[]).await;
    let long = "x".repeat(40 * 1024);
    for field in [("x-api-key", long.clone()), ("authorization", format!("Bearer {long}"))] {
        assert_eq!(world.get_user(&[(field.0, &field.1)]).await.status, 431);
    }
}

#[tokio::test]
async fn a_file_that_is_written_in_place_shuts_nobody_out() {
    let (first, first_digest) = key();
    let (second, second_digest) = key();
    let callers = caller("first", &[&first_digest], ALL) + &caller("second", &[&second_digest], ALL);
    let (world, file) = world(&callers, &[]).await;
    for round in 0..12 {
        // Cut to nothing, or to its first half, for a moment.
        let part = if round % 2 == 0 {
            ""
        } else {
            &callers[..callers.len() / 2]
        };
        let cut = std::time::Instant::now();
        std::fs::write(file.path(), part).unwrap();
        tokio::time::sleep(Duration::from_millis(120)).await;
        std::fs::write(file.path(), &callers).unwrap();
        // On a machine that is busy the moment may be as long as a file has to stay to be believed.
        if cut.elapsed() > Duration::from_millis(300) {
            continue;
        }
        for key in [&first, &second] {
            assert_eq!(world.get_user(&[("x-api-key", key)]).await.status, 200, "round {round}");
        }
        tokio::time::sleep(Duration::from_millis(180)).await;
    }
}

/// Hostile input 58, a key that was revoked or has expired: 401 within two seconds.
#[tokio::test]
async fn whoever_is_taken_out_while_a_body_arrives_is_refused_when_it_has() {
    let (leaked, leaked_digest) = key();
    let (good, good_digest) = key();
    let stays = caller("good", &[&good_digest], ALL);
    let (world, file) = world(&(caller("leaked", &[&leaked_digest], ALL) + &stays), &[]).await;
    until_status(&world, &leaked, 200).await;
    let body = super::somebody().to_string();
    let begin = async |key: &str, path: &str| {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-API-Key: {key}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
            body.len(),
            &body[..body.len() - 1]
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    };
    let disable = "/commands/iam-disable-user";
    let mut parked = begin(&leaked, disable).await;
    let mut explained = begin(&leaked, "/mappers/built-in/explain").await;
    let mut kept = begin(&good, disable).await;
    replace(file.path(), &stays);
    until_status(&world, &leaked, 401).await;
    world.sandbox.reset_calls();
    for (stream, status) in [(&mut parked, "401"), (&mut explained, "401"), (&mut kept, "200")] {
        if status == "200" {
            world.assert_calls(&[]);
        }
        stream.write_all(&body.as_bytes()[body.len() - 1..]).await.unwrap();
        let mut told = String::new();
        stream.read_to_string(&mut told).await.unwrap();
        assert_eq!(told.split(' ').nth(1), Some(status), "{told}");
    }
}
