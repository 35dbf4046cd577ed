//! Does the work of `iam-get-user` with nothing around it, on the same axum, reqwest and
//! serde_json: the floor that the service is measured against. `tests/bench/instructions.py`
//! builds, runs and measures it.
//!
//!     bench-bare 127.0.0.1:PORT http://127.0.0.1:PORT/TENANT/scim/v2/

#![allow(clippy::unwrap_used, reason = "a measurement stops where it can't go on")]

use std::env;

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use reqwest::{Client, header::ACCEPT};
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() {
    rustls::crypto::aws_lc_rs::default_provider().install_default().unwrap();
    let [listen, base] = env::args().skip(1).collect::<Vec<_>>().try_into().unwrap();
    let client = Client::builder().no_proxy().build().unwrap();
    let router = Router::new()
        .route("/commands/iam-get-user", post(get_user))
        .with_state((client, base + "Users"));
    axum::serve(TcpListener::bind(listen).await.unwrap(), router)
        .await
        .unwrap();
}

async fn get_user(
    State((client, users)): State<(Client, String)>,
    Json(arguments): Json<Value>,
) -> Result<Json<Value>, StatusCode> {
    let username = arguments["user-profile"]["username"]
        .as_str()
        .ok_or(StatusCode::BAD_REQUEST)?;
    let request = client
        .get(users)
        .query(&[("filter", format!("userName eq {}", Value::from(username)))])
        .bearer_auth("bench")
        .header(ACCEPT, "application/scim+json, application/json");
    let answer = request.send().await.map_err(|_| StatusCode::BAD_GATEWAY)?;
    let mut list: Value = answer.json().await.map_err(|_| StatusCode::BAD_GATEWAY)?;
    let user = list["Resources"].get_mut(0).ok_or(StatusCode::NOT_FOUND)?.take();
    Ok(Json(json!({"IAM": {
        "UserProfile": {
            "Email": user["emails"][0]["value"], "Given Name": user["name"]["givenName"],
            "Surname": user["name"]["familyName"], "Username": user["userName"],
        },
        "Vendor": {
            "brand": "AWS-ILM", "instanceName": "AWS-ILM_instance_1", "action": "get", "success": true,
            "active": user["active"], "id": user["id"], "username": user["userName"], "email": user["emails"][0]["value"],
            "errorCode": null, "errorMessage": "", "details": user, "skipped": false, "reason": "",
        },
    }})))
}
