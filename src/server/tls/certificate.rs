//! A certificate and its key in two PEM files, read at the start and again whenever somebody asks.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self};
use x509_cert::der::Decode as _;

use crate::config;
use crate::domain::clock::Timestamp;

/// The certificate that a listener shows, and where the next one is read from.
#[derive(Debug)]
pub(crate) struct Certificates {
    listener: &'static str,
    current: RwLock<Certificate>,
}

/// Where a certificate and its key lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// A certificate that fits its key.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    certified: Arc<CertifiedKey>,
    begins: Timestamp,
    ends: Timestamp,
}

/// Why a certificate can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CertificateError {
    #[error("{} can't be read", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{} is no PEM file with {what}", path.display())]
    NotPem { path: PathBuf, what: &'static str, source: pem::Error },
    #[error("{} holds no certificate", .0.display())]
    NoCertificate(PathBuf),
    #[error("the certificate in {} can't be read", path.display())]
    NotACertificate { path: PathBuf, source: x509_cert::der::Error },
    #[error("the key in {} does not belong to the certificate in {}, or can't be used", files.key.display(), files.certificate.display())]
    Unfit { files: Files, source: rustls::Error },
    #[error("the certificate in {} ended at {ends}, and the one in use has not", path.display())]
    Ended { path: PathBuf, ends: Timestamp },
}

/// A chain of certificates with a key takes a few kilobytes.
const MOST_BYTES: u64 = 1 << 20;
/// How long before its end a certificate is warned of at a start and a reload.
const WARN_BEFORE: Duration = Duration::from_secs(14 * 24 * 3600);

impl Files {
    pub(crate) fn of(config: &config::Tls) -> Self {
        Self { certificate: config.certificate.clone(), key: config.key.clone() }
    }
}

impl Certificate {
    /// # Errors
    /// [`CertificateError`] for everything but [`CertificateError::Ended`].
    pub(crate) fn read(files: &Files) -> Result<Self, CertificateError> {
        let not_pem = |path: &Path, what| {
            let path = path.to_owned();
            move |source| CertificateError::NotPem { path, what, source }
        };
        let text = read(&files.certificate)?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
        let chain = chain.map_err(not_pem(&files.certificate, "certificates"))?;
        let first = chain.first().ok_or_else(|| CertificateError::NoCertificate(files.certificate.clone()))?;
        let parsed = x509_cert::Certificate::from_der(first)
            .map_err(|source| CertificateError::NotACertificate { path: files.certificate.clone(), source })?;
        let validity = parsed.tbs_certificate().validity();
        let moment = |time: x509_cert::time::Time| Timestamp::from_ms(0).plus(time.to_unix_duration());
        let (begins, ends) = (moment(validity.not_before), moment(validity.not_after));
        let key = PrivateKeyDer::from_pem_slice(&read(&files.key)?)
            .map_err(not_pem(&files.key, "an unencrypted private key"))?;
        let certified = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider())
            .map_err(|source| CertificateError::Unfit { files: files.clone(), source })?;
        Ok(Self { certified: Arc::new(certified), begins, ends })
    }

    /// When it ends.
    pub(crate) const fn ends(&self) -> Timestamp {
        self.ends
    }

    /// Whether clients take it.
    pub(crate) fn is_good_at(&self, now: Timestamp) -> bool {
        (self.begins..=self.ends).contains(&now)
    }

    /// What is to be said of its time, if anything.
    pub(crate) fn caution(&self, now: Timestamp) -> Option<String> {
        if now > self.ends {
            return Some(format!("the certificate ended at {}; clients refuse it", self.ends));
        }
        if now < self.begins {
            return Some(format!("the certificate begins at {}; clients refuse it before", self.begins));
        }
        (now.plus(WARN_BEFORE) > self.ends).then(|| format!("the certificate ends soon, at {}", self.ends))
    }
}

impl Certificates {
    /// # Errors
    /// When there is nothing that could be shown.
    pub(crate) fn load(listener: &'static str, files: &Files) -> Result<Self, CertificateError> {
        Ok(Self { listener, current: RwLock::new(Certificate::read(files)?) })
    }

    /// Shows what the files hold now from the next handshake on. Connections that are there stay.
    ///
    /// # Errors
    /// What can't be used; the certificate that was shown still is.
    pub(crate) fn reload(&self, files: &Files, now: Timestamp) -> Result<(), CertificateError> {
        let new = Certificate::read(files)?;
        if now > new.ends && now <= self.expires() {
            return Err(CertificateError::Ended { path: files.certificate.clone(), ends: new.ends });
        }
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = new;
        self.report(now);
        Ok(())
    }

    pub(crate) const fn listener(&self) -> &'static str {
        self.listener
    }

    /// When the certificate that is shown ends.
    pub(crate) fn expires(&self) -> Timestamp {
        self.current().ends()
    }

    /// Says in the log which certificate is shown.
    pub(crate) fn report(&self, now: Timestamp) {
        let (listener, current) = (self.listener, self.current());
        match current.caution(now) {
            Some(caution) => tracing::warn!(listener, ends = %current.ends, "{caution}"),
            None => tracing::info!(listener, ends = %current.ends, "TLS with this certificate"),
        }
    }

    fn current(&self) -> Certificate {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _whoever_asks: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current().certified)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, CertificateError> {
    let text = File::open(path).and_then(|file| {
        let mut text = Vec::new();
        file.take(MOST_BYTES).read_to_end(&mut text)?;
        Ok(text)
    });
    text.map_err(|source| CertificateError::Unreadable { path: path.to_owned(), source })
}
