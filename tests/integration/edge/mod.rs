//! The edge: what a client, a proxy, a probe or an operator meets before any command runs.

mod lenient;
mod log;
mod messages;
mod probes;
mod start;
mod stop;
mod tokens;
mod unread;

use std::net::SocketAddr;

use aws_ilm::sandbox::Sandbox;
use serde_json::Value;

use crate::{
    harness::{World, answer, caller},
    process::Running,
};

/// The program in front of a world's directory, as its default instance, with these further
/// settings.
fn serve(world: &World, settings: &[(&str, &str)]) -> (Running, SocketAddr) {
    let url = Sandbox::base_url(world.directory, world.sandbox.tenant_id());
    let own = [
        ("AWS_ILM_URL", url.as_str()),
        ("AWS_ILM_TENANT_ID", world.sandbox.tenant_id()),
    ];
    let settings: Vec<_> = own.iter().chain(settings).copied().collect();
    Running::serve(&[], &settings)
}

/// The first instance, as readiness shows it.
async fn first_instance(address: SocketAddr) -> Value {
    let ready = answer(caller().get(format!("http://{address}/health/ready"))).await;
    assert_eq!(ready.status, 200);
    ready.json()["instances"][0].clone()
}

/// Waits until the first instance has this status.
async fn until_instance_is(address: SocketAddr, status: &str) -> Value {
    for _ in 0..2_000 {
        let instance = first_instance(address).await;
        if instance["status"] == status {
            return instance;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the instance did not become {status}");
}
