//! `aws-ilm`, the program: see `aws-ilm --help`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    aws_ilm::cli::main().await
}
