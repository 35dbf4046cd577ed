//! The IAM user lifecycle commands for AWS IAM Identity Center, as an HTTP service.
//!
//! An HTTP request becomes a [`commands::Command`]; the command **decides**, without touching the
//! network, what to read or write next from what is known so far; the [`service`] **performs** it
//! through the one shared SCIM client and asks again, until the command finishes with an outcome,
//! told in the [`envelope`].
//!
//! The modules in reading order:

#![forbid(unsafe_code)]

pub mod cli;
pub mod config;
pub mod telemetry;

pub mod app;
pub mod http;
pub mod net;

pub mod audit;
pub mod auth;
pub mod outbound;

pub mod diagnostic;
pub mod files;

pub mod operations;
pub mod service;
pub mod store;
pub mod webhooks;

pub mod commands;
pub mod decide;
pub mod envelope;
pub mod json;
pub mod mapper;
pub mod outcome;
pub mod policy;
pub mod profile;

pub mod scim;

pub mod sandbox;
