//! `aws-ilm source explain`: a delivery that was caught, step by step.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use jiff::Timestamp;
use secrecy::SecretString;

use super::{
    super::{Configured, FAILED, failed, misused},
    LONGEST_BODY, find, load,
};
use crate::{
    files,
    webhooks::{Delivery, Headers, explain::explain},
};

/// The longest file of headers, in bytes.
const LONGEST_HEADERS: u64 = 256 * 1024;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// The source's name
    #[arg(value_name = "NAME")]
    name: String,
    /// The headers, one `Name: value` a line, as `curl -v` or a proxy shows them
    #[arg(long, value_name = "FILE")]
    headers: PathBuf,
    /// The body, byte by byte as it was sent
    #[arg(long, value_name = "FILE")]
    body: PathBuf,
    /// The type of the event, where the path had one
    #[arg(long = "type", value_name = "TYPE")]
    path_type: Option<String>,
    /// A file with the secret that the path had
    #[arg(long, value_name = "FILE")]
    path_secret: Option<PathBuf>,
    /// When it arrived, by which its age is judged; else now
    #[arg(long, value_name = "TIME")]
    received: Option<Timestamp>,
    #[command(flatten)]
    configured: Configured,
}

/// Explains a delivery to its end.
pub(super) async fn run(arguments: Arguments) -> ExitCode {
    let delivery = match delivery(&arguments) {
        Ok(delivery) => delivery,
        Err(message) => return misused(&message),
    };
    let settings = match load(arguments.configured) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let source = match find(&settings, &arguments.name) {
        Ok(source) => source,
        Err(code) => return code,
    };
    let explanation = explain(source, &delivery).await;
    let text = match serde_json::to_string_pretty(&explanation) {
        Ok(text) => text,
        Err(error) => return failed(&error),
    };
    println!("{text}");
    let is_well = explanation.verification.accepted
        && explanation.fault.is_none()
        && explanation.events.iter().all(|event| event.verdict != "failed");
    if is_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    }
}

fn delivery(arguments: &Arguments) -> Result<Delivery, String> {
    let read = |path: &Path, most: u64| {
        let bytes = files::read(path, most);
        bytes.map_err(|error| format!("{}: {error}", path.display()))
    };
    let text = read(&arguments.headers, LONGEST_HEADERS)?;
    let headers = headers(&text).map_err(|line| {
        format!(
            "{} line {line}: write one `Name: value` a line",
            arguments.headers.display()
        )
    })?;
    let path_secret = arguments
        .path_secret
        .as_deref()
        .map(|path| read(path, LONGEST_HEADERS))
        .transpose()?;
    let path_secret =
        path_secret.map(|bytes| SecretString::from(String::from_utf8_lossy(&bytes).trim_end().to_owned()));
    let host = headers.one("host").ok().flatten().map(str::to_owned);
    let kind = arguments
        .path_type
        .as_ref()
        .map_or_else(String::new, |kind| format!("/{kind}"));
    Ok(Delivery {
        method: "POST".to_owned(),
        target: SecretString::from(format!("/webhooks/{}{kind}", arguments.name)),
        host,
        path_type: arguments.path_type.clone(),
        path_secret,
        headers,
        body: read(&arguments.body, LONGEST_BODY)?.to_vec(),
        received: arguments.received.unwrap_or_else(Timestamp::now),
    })
}

/// Header fields of lines; else the number of the line that is none. What tools put before them (`>
/// `, a request line) is passed over.
fn headers(text: &[u8]) -> Result<Headers, usize> {
    let mut fields = Vec::new();
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = line.strip_prefix(b"> ").unwrap_or(line);
        let is_request_line = index == 0 && line.windows(6).any(|part| part == b" HTTP/");
        if line.is_empty() || line == b">" || is_request_line {
            continue;
        }
        let colon = line
            .iter()
            .position(|byte| *byte == b':')
            .filter(|at| *at > 0)
            .ok_or(index + 1)?;
        let name = std::str::from_utf8(&line[..colon]).map_err(|_| index + 1)?;
        if !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(index + 1);
        }
        fields.push((name.to_owned(), line[colon + 1..].trim_ascii().to_vec()));
    }
    Ok(Headers::new(fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_tools_show_them() {
        let text = b"POST /webhooks/hr HTTP/1.1\r\n> Host: x\r\nX-One:1\r\nX-Two:  a: b \n\n>\n";
        let found = headers(text).unwrap();
        let found: Vec<_> = found.iter().collect();
        let expected: [(&str, &[u8]); 3] = [("host", b"x"), ("x-one", b"1"), ("x-two", b"a: b")];
        assert_eq!(found, expected);
        for (text, line) in [
            (&b"X-One: 1\nnothing\n"[..], 2),
            (b": x", 1),
            (b"a b: x", 1),
            (b"\xFF: x", 1),
        ] {
            assert_eq!(headers(text), Err(line), "{text:?}");
        }
    }
}
