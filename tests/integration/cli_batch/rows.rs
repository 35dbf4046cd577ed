//! What a file may look like, and what becomes of its rows.

use std::fs;

use serde_json::json;

use super::Service;

#[tokio::test]
async fn one_json_element_a_line_is_sent_followed_and_told() {
    let service = Service::start();
    let profile = |name: &str| json!({"username": name, "email": format!("{name}@example.com"), "givenname": "Kim", "surname": "Lee", "displayname": "Kim Lee"});
    let lines = [
        json!({"command": "iam-create-user", "arguments": {"user-profile": profile("kim")}, "purpose": "hire"}),
        json!({"command": "iam-disable-user", "arguments": {"user-profile": {"username": "nobody"}}}),
        json!({"command": "iam-create-user", "arguments": {"user-profile": profile("lou")}, "notBefore": "2034-01-01T09:00:00+11:00"}),
    ];
    let text = lines.map(|line| line.to_string()).join("\n");
    let file = service.file("people.ndjson", text);
    let ended = service.run(&["batch", &file]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stdout, "3 rows: 1 done, 1 scheduled, 1 skipped\n");
    let operations = service.operations().await;
    assert_eq!(operations.len(), 3);
    assert_eq!(operations[2]["purpose"], "hire");
    assert_eq!(
        operations[2]["subject"],
        json!(["user name kim"]),
        "in the order of the file"
    );
}

/// What Excel writes on Windows where a comma is in numbers: a byte order mark, semicolons, CR LF,
/// and quotes around what has a line break.
#[tokio::test]
async fn a_table_from_excel_is_read_as_it_is() {
    let service = Service::start();
    let table = "\u{feff}username;email;givenname;surname;displayname;title\r\n\
        kim;kim@example.com;Kim;Lee;Kim Lee;\"Head of\r\nResearch; \"\"Labs\"\"\"\r\n\r\n\
        jörg;joerg@example.com;Jörg;Öztürk;Jörg Öztürk;\r\n";
    let file = service.file("people.csv", table);
    let ended = service.run(&["batch", &file, "--command", "iam-create-user"]);
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (Some(0), "2 rows: 2 done\n"),
        "{ended:?}"
    );
    let operations = service.operations().await;
    let profile = &operations[1]["arguments"]["user-profile"];
    assert_eq!(profile["title"], "Head of\r\nResearch; \"Labs\"");
    assert_eq!(operations[0]["arguments"]["user-profile"]["displayname"], "Jörg Öztürk");
}

#[tokio::test]
async fn utf_16_and_tabs_are_recognised() {
    let service = Service::start();
    let table = "username\temail\tgivenname\tsurname\tdisplayname\nkim\tkim@example.com\tKim\tŁee\tKim Łee\n";
    let bytes = std::iter::once(0xFEFF)
        .chain(table.encode_utf16())
        .flat_map(u16::to_le_bytes);
    let file = service.file("people.txt", bytes.collect::<Vec<u8>>());
    let ended = service.run(&["batch", &file, "--command", "iam-create-user"]);
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (Some(0), "1 rows: 1 done\n"),
        "{ended:?}"
    );
    let operations = service.operations().await;
    assert_eq!(operations[0]["arguments"]["user-profile"]["surname"], "Łee");
}

#[tokio::test]
async fn what_failed_is_told_by_its_line_and_can_be_mended_and_sent() {
    let service = Service::start();
    let table = "username;email;givenname;surname;displayname;title\n\
        kim;kim@example.com;Kim;Lee;Kim Lee;\"Head\nof Research\"\n\
        lou;lou@example.com;Lou;;Lou Reed;x\n";
    let file = service.file("people.csv", table);
    let failures = service.path("failures.csv");
    let arguments = ["batch", &file, "--command", "iam-create-user", "--failures", &failures];
    let ended = service.run(&arguments);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.starts_with("2 rows: 1 done, 1 failed\n"), "{ended:?}");
    let row = ended.stdout.lines().find(|line| line.contains("lou")).unwrap();
    assert!(row.starts_with("4 ") && row.contains("surname"), "{row}");
    let written = fs::read_to_string(&failures).unwrap();
    assert_eq!(
        written,
        "username;email;givenname;surname;displayname;title\nlou;lou@example.com;Lou;;Lou Reed;x\n"
    );
    fs::write(&failures, written.replace("Lou;;", "Lou;Reed;")).unwrap();
    let mended = service.run(&["batch", &failures, "--command", "iam-create-user"]);
    assert_eq!(
        (mended.code, mended.stdout.as_str()),
        (Some(0), "1 rows: 1 done\n"),
        "{mended:?}"
    );
}

/// Measures as well: 50,000 rows over a debug service take minutes.
#[tokio::test]
#[ignore = "slow"]
async fn a_table_of_fifty_thousand_rows_is_sent_in_bounded_memory() {
    let service = Service::start();
    let mut table = "username,notBefore,title\n".to_owned();
    for number in 0..50_000 {
        table += &format!("p{number},2034-01-01T00:00:00Z,Clerk\n");
    }
    let file = service.file("people.csv", table);
    let url = service.url();
    let mut client = crate::process::program(&["batch", &file, "--command", "iam-update-user", "--to", &url], &[])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut most = 0;
    let ended = loop {
        if let Some(ended) = client.try_wait().unwrap() {
            break ended;
        }
        let status = fs::read_to_string(format!("/proc/{}/status", client.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
        most = most.max(kib.unwrap_or_default());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    println!("50,000 rows: at most {} MiB in the client", most / 1024);
    assert_eq!(ended.code(), Some(0));
    assert!(most < 64 * 1024, "{most} KiB");
}
