//! What a service that is told to stop waits for: commands, and no peer that is silent.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use crate::process::Running;

#[test]
fn a_request_that_never_comes_whole_does_not_hold_up_the_end() {
    // The bounds of what is in flight are longer than the test's patience.
    let settings = [("AWS_ILM_BODY_TIMEOUT", "10m"), ("AWS_ILM_SHUTDOWN_TIMEOUT", "10m")];
    let (service, address) = Running::serve(&["--sandbox"], &settings);
    let mut half = TcpStream::connect(address).unwrap();
    let head = format!(
        "POST /commands/iam-disable-user HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Content-Length: 100\r\nExpect: 100-continue\r\n\r\n"
    );
    half.write_all(head.as_bytes()).unwrap();
    // The body is waited for.
    let mut asked = [0; 12];
    half.read_exact(&mut asked).unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100");
    half.write_all(b"{").unwrap();
    service.terminate();
    assert_eq!(service.code(), Some(0));
}
