//! HTTP/2 frames by hand (RFC 9113), for what no client would send.

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const CONTINUATION: u8 = 9;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// RFC 9113 section 4.1.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = u32::try_from(payload.len()).unwrap_or(0).to_be_bytes();
    [&length, &[kind, flags][..], &stream.to_be_bytes(), payload].concat()
}

/// What a client begins with.
pub(crate) fn begin() -> Vec<u8> {
    [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()
}

/// The header block of `GET /health/live` of `localhost` (RFC 7541: indexed, and literal without
/// indexing).
pub(crate) fn request() -> Vec<u8> {
    [&[0x82, 0x86, 0x04, 12][..], b"/health/live", &[0x01, 9], b"localhost"].concat()
}

/// A request that is taken back at once, on the stream of this number.
pub(crate) fn opened_and_reset(number: u32) -> Vec<u8> {
    let stream = number * 2 + 1;
    let opened = frame(HEADERS, END_STREAM | END_HEADERS, stream, &request());
    [opened, frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())].concat()
}

/// A request whose header block goes on.
pub(crate) fn unfinished() -> Vec<u8> {
    frame(HEADERS, END_STREAM, 1, &request())
}

/// More of it, and not the end.
pub(crate) fn continued(block: &[u8]) -> Vec<u8> {
    frame(CONTINUATION, 0, 1, block)
}

/// A literal field of 4,000 bytes, without indexing.
pub(crate) fn long_field() -> Vec<u8> {
    [&[0x00, 1, b'x', 0x7f, 0xa1, 0x1e][..], &[b'a'; 4_000]].concat()
}
