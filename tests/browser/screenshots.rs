//! Pictures of every page: light, dark, on a phone, in French. Written to `target/screenshots`, to be looked at.

use std::path::PathBuf;

use super::driver::{Browser, DESKTOP, PHONE, Window};
use super::walk::{self, Look};

/// Writes a picture of each page to a folder.
struct Album {
    folder: PathBuf,
}

impl Look for Album {
    async fn look(&mut self, browser: &Browser, page: &str) {
        std::fs::write(self.folder.join(format!("{page}.png")), browser.picture().await).unwrap();
    }
}

async fn photograph(window: Window, name: &str) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/screenshots").join(name);
    let _none_yet = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    walk::every_page(window, &mut Album { folder }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: cargo xtask test"]
async fn every_page_is_photographed_in_light() {
    photograph(DESKTOP, "light").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: cargo xtask test"]
async fn every_page_is_photographed_in_dark() {
    photograph(Window { dark: true, ..DESKTOP }, "dark").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: cargo xtask test"]
async fn every_page_is_photographed_on_a_phone() {
    photograph(PHONE, "phone").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: cargo xtask test"]
async fn every_page_is_photographed_in_french() {
    photograph(Window { language: "fr", ..DESKTOP }, "french").await;
}
