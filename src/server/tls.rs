//! The certificate, and what is spoken with it: TLS 1.3 (RFC 8446).
//!
//! The first start makes a certificate and keeps it: to a client that pinned it, it is the parlor.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;
use tokio_rustls::TlsAcceptor;
use tracing::info;

use super::private::write_private;
use crate::protocol::proof::{Fingerprint, fingerprint};

/// The file in the data folder with the certificate that a parlor makes for itself.
pub const CERTIFICATE: &str = "certificate.pem";

/// The file with its private key.
pub const KEY: &str = "certificate-key.pem";

/// Where the certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Made at the first start, and kept in the folder of the log.
    Own,
    /// PEM files of the operator's: the chain, and its private key.
    Files {
        /// The chain, the server's own first.
        certificate: PathBuf,
        /// Its key: PKCS #8, PKCS #1 or SEC 1.
        key: PathBuf,
    },
}

/// A certificate that cannot be used.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file.
    #[error("cannot use {0}: {1}")]
    File(PathBuf, io::Error),
    /// Not what should be in it.
    #[error("{0} does not hold {1} in PEM: {2}")]
    Pem(PathBuf, &'static str, rustls::pki_types::pem::Error),
    /// The two do not go together, or the key is of a kind that is not known.
    #[error("the certificate {0} and its key cannot be used: {1}")]
    Pair(PathBuf, rustls::Error),
    /// None could be made.
    #[error("no certificate could be made: {0}")]
    Make(#[from] rcgen::Error),
}

/// What new connections are greeted with.
#[derive(Clone)]
pub struct Served {
    /// Speaks TLS with it.
    pub acceptor: TlsAcceptor,
    /// Of the certificate: what clients pin and proofs are bound to.
    pub fingerprint: Fingerprint,
}

/// The certificate of a server, which may be exchanged while it runs.
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    served: RwLock<Served>,
}

impl Tls {
    /// Reads the certificate, or makes it if it is to be our own and there is none.
    ///
    /// # Errors
    /// When there is none that can be used.
    pub fn open(source: &Source, data: &Path) -> Result<Self, TlsError> {
        let (certificate, key) = match source {
            Source::Own => {
                let (certificate, key) = (data.join(CERTIFICATE), data.join(KEY));
                if !(certificate.exists() && key.exists()) {
                    make(&certificate, &key)?;
                }
                (certificate, key)
            }
            Source::Files { certificate, key } => (certificate.clone(), key.clone()),
        };
        let served = RwLock::new(read(&certificate, &key)?);
        Ok(Self { certificate, key, served })
    }

    /// What to greet the next connection with.
    pub fn served(&self) -> Served {
        self.served.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the files again, for [`Tls::serve`].
    ///
    /// # Errors
    /// When they cannot be used.
    pub fn read_again(&self) -> Result<Served, TlsError> {
        read(&self.certificate, &self.key)
    }

    /// Greets new connections with this. Those that are open keep what they have.
    pub fn serve(&self, served: Served) {
        info!(fingerprint = %served.fingerprint, "certificate read");
        *self.served.write().unwrap_or_else(PoisonError::into_inner) = served;
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

fn read(certificate: &Path, key: &Path) -> Result<Served, TlsError> {
    let pem = |path: &Path, what| {
        let path = path.to_owned();
        move |error| match error {
            rustls::pki_types::pem::Error::Io(error) => TlsError::File(path, error),
            error => TlsError::Pem(path, what, error),
        }
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(pem(certificate, "a certificate"))?;
    let nothing = || pem(certificate, "a certificate")(rustls::pki_types::pem::Error::NoItemsFound);
    let fingerprint = fingerprint(chain.first().ok_or_else(nothing)?);
    let key = PrivateKeyDer::from_pem_file(key).map_err(pem(key, "a private key"))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| TlsError::Pair(certificate.to_owned(), error))?;
    // Sessions last for hours and come back seldom: tickets would cost memory and serve nobody.
    config.send_tls13_tickets = 0;
    Ok(Served { acceptor: TlsAcceptor::from(Arc::new(config)), fingerprint })
}

/// Makes a certificate that says nothing but its key: clients compare its fingerprint, not its names.
fn make(certificate: &Path, key: &Path) -> Result<(), TlsError> {
    let made = rcgen::generate_simple_self_signed(vec!["parlor".to_owned()])?;
    let write = |path: &Path, pem: &str| {
        write_private(path, pem).map_err(|error| TlsError::File(path.to_owned(), error))
    };
    write(key, &made.signing_key.serialize_pem())?;
    write(certificate, &made.cert.pem())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_certificate_is_made_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let first = Tls::open(&Source::Own, folder.path()).unwrap().served().fingerprint;
        assert_eq!(Tls::open(&Source::Own, folder.path()).unwrap().served().fingerprint, first);
        #[cfg(unix)]
        for name in ["certificate.pem", "certificate-key.pem"] {
            let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(folder.path().join(name)).unwrap());
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }

    #[test]
    fn a_certificate_can_be_exchanged_and_a_broken_one_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
        make(&certificate, &key).unwrap();
        let source = Source::Files { certificate: certificate.clone(), key: key.clone() };
        let tls = Tls::open(&source, folder.path()).unwrap();
        let first = tls.served().fingerprint;
        make(&certificate, &key).unwrap();
        tls.serve(tls.read_again().unwrap());
        let second = tls.served().fingerprint;
        assert_ne!(first, second);
        for (path, content, complaint) in
            [(&certificate, "no pem", "does not hold a certificate"), (&key, "", "c.pem does not hold")]
        {
            fs::write(path, content).unwrap();
            let error = tls.read_again().err().unwrap().to_string();
            assert!(error.contains(complaint), "{error}");
            assert_eq!(tls.served().fingerprint, second);
        }
        fs::remove_file(&certificate).unwrap();
        assert!(tls.read_again().err().unwrap().to_string().contains("c.pem"));
    }
}
