//! A schema registry with Confluent's API: what converters read schemas with.
//!
//! | file | part |
//! |---|---|
//! | `wire` | the id of its schema in front of each message, or in its headers |
//! | `config` | the keys of a converter that say where the registry is, and who asks |
//! | `address` | its URLs, and the user and password in them |
//! | `tls` | who is trusted, and the client's own certificate |
//! | `client` | requests |
//! | `subject` | under which name a topic's schema is registered |
//! | `known` | schemas that were read before |
//! | `schemas` | from an id to a schema, in the background |

mod address;
mod client;
mod config;
mod known;
mod schemas;
mod subject;
mod tls;
mod wire;

pub(crate) use client::RegisteredSchema;
pub(crate) use config::{KEYS, RegistryConfig};
pub(crate) use schemas::{Reader, SchemaText, Schemas};
pub(crate) use wire::Message;
