//! The program itself, as a process of its own with nothing of ours in its environment.

use std::{
    fs,
    io::Read,
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Arc, Condvar, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

/// Nothing takes this long; a test that waits it out has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// The program with these arguments and settings, and nothing else in its environment but where
/// programs are found.
pub(crate) fn program(arguments: &[&str], settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aws-ilm"));
    command.args(arguments).env_clear().stdin(Stdio::null());
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command.envs(settings.iter().copied());
    command
}

/// Runs the program to its end.
pub(crate) fn run(arguments: &[&str], settings: &[(&str, &str)]) -> Ended {
    program(arguments, settings).output().unwrap().into()
}

/// A run that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// A program that runs; killed with the test.
pub(crate) struct Running {
    id: u32,
    pub(crate) stdout: Stream,
    pub(crate) stderr: Stream,
    ended: mpsc::Receiver<ExitStatus>,
}

impl Running {
    /// Starts the program.
    pub(crate) fn start(arguments: &[&str], settings: &[(&str, &str)]) -> Self {
        let mut child = program(arguments, settings)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdout, stderr) = (
            Stream::of(child.stdout.take().unwrap()),
            Stream::of(child.stderr.take().unwrap()),
        );
        let (tell, ended) = mpsc::channel();
        let id = child.id();
        thread::spawn(move || wait(child, &tell));
        Self {
            id,
            stdout,
            stderr,
            ended,
        }
    }

    /// Starts `serve` on a free port, and waits until it listens.
    pub(crate) fn serve(more: &[&str], settings: &[(&str, &str)]) -> (Self, SocketAddr) {
        let arguments: Vec<&str> = ["serve", "--listen", "127.0.0.1:0"]
            .iter()
            .chain(more)
            .copied()
            .collect();
        let running = Self::start(&arguments, settings);
        let address = address_in(&running.stderr.line_with("listening"));
        (running, address)
    }

    /// Starts `sandbox` on a free port, and waits until it listens. Also the base URL that it
    /// tells.
    pub(crate) fn sandbox(more: &[&str]) -> (Self, SocketAddr, String) {
        let arguments: Vec<&str> = ["sandbox", "--listen", "127.0.0.1:0"]
            .iter()
            .chain(more)
            .copied()
            .collect();
        let running = Self::start(&arguments, &[]);
        let line = running.stdout.line_with("SCIM endpoint:");
        let url = line.split_whitespace().last().unwrap().to_owned();
        // Its last line: from then on it is about to serve.
        running.stdout.line_with("State:");
        (running, address_in(&line), url)
    }

    /// How much memory it has in use, in KiB; `None` where the system does not tell.
    pub(crate) fn memory(&self) -> Option<usize> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_whitespace().next()?.parse().ok()
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends SIGHUP.
    pub(crate) fn hang_up(&self) {
        self.signal("HUP");
    }

    /// Sends SIGKILL.
    pub(crate) fn kill(&self) {
        self.signal("KILL");
        let _ = self.ended.recv_timeout(PATIENCE);
    }

    /// Waits for the end, and gives the exit code.
    pub(crate) fn code(&self) -> Option<i32> {
        match self.ended.recv_timeout(PATIENCE) {
            Ok(status) => status.code(),
            Err(_) => panic!("still running: {}{}", self.stdout.text(), self.stderr.text()),
        }
    }

    fn signal(&self, name: &str) {
        let line = format!("kill -{name} {}", self.id);
        drop(Command::new("sh").args(["-c", &line]).stderr(Stdio::null()).status());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // An id is not given out again while its process has not been waited for, which the thread
        // does.
        if self.ended.try_recv().is_err() {
            self.signal("KILL");
        }
    }
}

fn wait(mut child: Child, tell: &mpsc::Sender<ExitStatus>) {
    if let Ok(status) = child.wait() {
        let _ = tell.send(status);
    }
}

/// What a running program has written so far.
#[derive(Clone)]
pub(crate) struct Stream(Arc<(Mutex<String>, Condvar)>);

impl Stream {
    fn of(mut source: impl Read + Send + 'static) -> Self {
        let stream = Self(Arc::default());
        let written = stream.clone();
        thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(count @ 1..) = source.read(&mut part) {
                let mut text = written.0.0.lock().unwrap();
                text.push_str(&String::from_utf8_lossy(&part[..count]));
                written.0.1.notify_all();
            }
        });
        stream
    }

    /// All of it.
    pub(crate) fn text(&self) -> String {
        self.0.0.lock().unwrap().clone()
    }

    /// Waits for a whole line with this in it, and gives it.
    pub(crate) fn line_with(&self, needle: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut text = self.0.0.lock().unwrap();
        loop {
            let whole = text.rfind('\n').map_or("", |end| &text[..end]);
            if let Some(line) = whole.lines().find(|line| line.contains(needle)) {
                return line.to_owned();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no {needle:?} in {text:?}");
            text = self.0.1.wait_timeout(text, left).unwrap().0;
        }
    }
}

/// The loopback address in a text.
fn address_in(text: &str) -> SocketAddr {
    let start = text
        .find("127.0.0.1:")
        .unwrap_or_else(|| panic!("no address in {text:?}"));
    let is_part = |character: char| character.is_ascii_digit() || character == '.' || character == ':';
    let end = text[start..]
        .find(|character| !is_part(character))
        .map_or(text.len(), |length| start + length);
    text[start..end].parse().unwrap()
}

/// A file for one test.
pub(crate) struct File(PathBuf);

impl File {
    pub(crate) fn new(text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("aws-ilm-{}", uuid::Uuid::new_v4()));
        fs::write(&path, text).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}
