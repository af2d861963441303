//! The files that pages refer to, embedded in the binary. Their names hold a hash of their content, so that browsers may
//! keep them for ever.

use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use sha2::{Digest as _, Sha256};

use super::gate::Visitor;
use crate::http::path::Segment;
use crate::http::{Answer, console::failure};

/// One file.
#[derive(Debug)]
struct Asset {
    stem: &'static str,
    extension: &'static str,
    media_type: &'static str,
    bytes: &'static [u8],
}

const STYLE: Asset = Asset {
    stem: "console",
    extension: "css",
    media_type: "text/css; charset=utf-8",
    bytes: include_bytes!("../../../assets/console/console.css"),
};
const SCRIPT: Asset = Asset {
    stem: "console",
    extension: "js",
    media_type: "text/javascript; charset=utf-8",
    bytes: include_bytes!("../../../assets/console/console.js"),
};
const ICON: Asset = Asset {
    stem: "icon",
    extension: "svg",
    media_type: "image/svg+xml",
    bytes: include_bytes!("../../../assets/console/icon.svg"),
};

/// The names under which the files are served; constants of the binary.
static NAMES: LazyLock<Names> =
    LazyLock::new(|| Names { style: STYLE.name(), script: SCRIPT.name(), icon: ICON.name() });

/// Where pages find them.
#[derive(Debug)]
pub(super) struct Names {
    pub style: String,
    pub script: String,
    pub icon: String,
}

pub(super) fn names() -> &'static Names {
    &NAMES
}

impl Asset {
    fn name(&self) -> String {
        let digest: [u8; 32] = Sha256::digest(self.bytes).into();
        let hash: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        format!("{}-{hash}.{}", self.stem, self.extension)
    }
}

pub(crate) async fn asset(visitor: Visitor, Segment(name): Segment) -> Answer {
    let names = names();
    let asset = match name {
        name if name == names.style => STYLE,
        name if name == names.script => SCRIPT,
        name if name == names.icon => ICON,
        _ => return Ok(failure::nothing_here(&visitor.page)),
    };
    let mut response = Response::new(Body::from(asset.bytes));
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    Ok(response)
}
