//! The figures, in groups that share what was started for them.

mod data;
mod fan_out;
mod gateway;
mod idle;
mod login;
mod messages;
mod reads;
mod rules;
mod terminal;
mod two_servers;

use futures_util::future::BoxFuture;

use crate::Bench;
use crate::report::Report;

/// How many clients a load has.
const CLIENTS: usize = 64;

type Measure = fn(Bench, &mut Report) -> BoxFuture<'_, anyhow::Result<()>>;

/// Every group with its name.
pub(crate) const GROUPS: &[(&str, Measure)] = &[
    ("messages", |bench, report| Box::pin(messages::measure(bench, report))),
    ("reads", |bench, report| Box::pin(reads::measure(bench, report))),
    ("rules", |bench, report| Box::pin(rules::measure(bench, report))),
    ("data", |bench, report| Box::pin(data::measure(bench, report))),
    ("terminal", |bench, report| Box::pin(terminal::measure(bench, report))),
    ("gateway", |bench, report| Box::pin(gateway::measure(bench, report))),
    ("two-servers", |bench, report| Box::pin(two_servers::measure(bench, report))),
    ("fan-out", |bench, report| Box::pin(fan_out::measure(bench, report))),
    ("login", |bench, report| Box::pin(login::measure(bench, report))),
    ("idle", |bench, report| Box::pin(idle::measure(bench, report))),
];
