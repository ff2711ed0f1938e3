//! The gateway, and nginx in its place.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context as _;
use tokio::process::Command;

use super::CLIENTS;
use crate::Bench;
use crate::http::request;
use crate::load::{closed_loop, paced};
use crate::process::Process;
use crate::report::{Report, number};
use crate::system::System;

pub(super) async fn measure(bench: Bench, report: &mut Report) -> anyhow::Result<()> {
    let system = System::in_parts(&bench).await?;
    let person = system.people(1).await?.remove(0);
    let room = system.room(&person).await?;
    for number in 0..50 {
        system.say(room, &person, &format!("Line {number} of a chat as people write it")).await?;
    }
    let nginx = nginx(system.inner[0].address).await?;
    let path = format!("/api/rooms/{room}/messages");
    let requests = |address| vec![request("GET", &path, address, Some(&person.token), None); CLIENTS];

    let ours = closed_loop(system.address(), requests(system.address()), bench.span).await?;
    let theirs = closed_loop(nginx.address, requests(nginx.address), bench.span).await?;
    let rates = (ours.rate(), theirs.rate());
    report.ratio("Gateway, the same call of 64 clients", rates, "nginx", "requests/s", "≥ 0.8");

    // Each of them at the same rate, which is half of what the slower one manages.
    let half = rates.0.min(rates.1) / 2.0;
    let ours = paced(system.address(), requests(system.address()), half, bench.span).await?.percentile_ms(50);
    let theirs = paced(nginx.address, requests(nginx.address), half, bench.span).await?.percentile_ms(50);
    report.add([
        format!("Gateway at half load ({} requests/s), p50", number(half)),
        format!("{ours:.2} ms"),
        format!("nginx: {theirs:.2} ms"),
        format!("{:+.2} ms", ours - theirs),
        "≤ +0.5 ms".to_owned(),
    ]);
    Ok(())
}

/// Starts nginx as a plain proxy that keeps its connections.
async fn nginx(upstream: SocketAddr) -> anyhow::Result<Process> {
    Process::told(|directory: &Path, port| {
        let home = directory.display();
        let text = format!(
            "daemon off;\nworker_processes auto;\npid {home}/pid;\nerror_log stderr warn;\n\
             events {{ worker_connections 4096; }}\nhttp {{\n  access_log off;\n\
             client_body_temp_path {home}/1; proxy_temp_path {home}/2; fastcgi_temp_path {home}/3;\n\
             uwsgi_temp_path {home}/4; scgi_temp_path {home}/5;\n\
             keepalive_requests 1000000000;\n\
             upstream conference {{ server {upstream}; keepalive 64; keepalive_requests 1000000000; }}\n\
             server {{ listen 127.0.0.1:{port};\n    location / {{\n      proxy_pass http://conference;\n\
             proxy_http_version 1.1;\n      proxy_set_header Connection \"\";\n      proxy_set_header Host $http_host;\n\
             proxy_set_header X-Forwarded-For $remote_addr;\n    }}\n  }}\n}}\n"
        );
        fs::write(directory.join("nginx.conf"), text)?;
        let program = if Path::new("/usr/sbin/nginx").exists() { "/usr/sbin/nginx" } else { "nginx" };
        let mut command = Command::new(program);
        command.arg("-p").arg(directory).arg("-c").arg(directory.join("nginx.conf"));
        Ok(command)
    })
    .await
    .context("nginx")
}
