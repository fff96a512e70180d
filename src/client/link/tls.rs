//! TLS from this side: whose certificate is taken for the server's.
//!
//! A parlor's certificate is its own, so no authority vouches for it: a client holds on to the one that it has seen first,
//! or to the one that an invite names. What a certificate says of names and dates does not matter then; that whoever shows
//! it has its key does, and is verified as always.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::ending::Break;
use super::strangers;
use crate::protocol::address::Address;
use crate::protocol::invite::Pin;
use crate::protocol::proof::{Fingerprint, fingerprint};

/// Begins TLS, and says which certificate the server has shown. With a `pin`, only one that it fits is taken.
///
/// # Errors
/// [`Break::Stranger`] for another certificate; a sentence for what speaks another TLS, or none.
pub(super) async fn begin<S>(
    socket: S,
    address: &Address,
    pin: Option<&Pin>,
) -> Result<(TlsStream<S>, Fingerprint), Break>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        Arc::new(Pinned { pin: pin.copied(), seen: Mutex::new(None), provider: Arc::clone(&provider) });
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| Break::Connect(format!("TLS cannot be used: {error}")))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&verifier) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    // Who looks at the certificate each time must be shown it each time.
    config.resumption = Resumption::disabled();
    // Nothing is vouched for by name, and the address is nobody's business on the way.
    config.enable_sni = false;
    let name = ServerName::try_from("parlor").map_err(|error| Break::Connect(error.to_string()))?;
    let begun = TlsConnector::from(Arc::new(config)).connect(name, socket).await;
    let seen = *verifier.seen.lock().unwrap_or_else(PoisonError::into_inner);
    match (begun, seen) {
        (Ok(stream), Some(fingerprint)) => Ok((stream, fingerprint)),
        (Err(error), Some(shown)) if is_stranger(&error) => {
            Err(Break::Stranger { address: address.clone(), shown })
        }
        (Err(error), _) if speaks_other_tls(&error) => Err(Break::Hopeless(format!(
            "what answers at {address} speaks another TLS than parlors do, which is 1.3: is it a parlor?"
        ))),
        (Err(error), _) if is_hung_up(&error) => Err(strangers::hung_up(address)),
        (Err(error), _) => Err(Break::Connect(format!("no TLS with {address}: {error}"))),
        (Ok(_), None) => Err(Break::Connect(format!("{address} showed no certificate"))),
    }
}

fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

fn is_stranger(error: &io::Error) -> bool {
    matches!(
        tls_error(error),
        Some(rustls::Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    )
}

/// Closed in one way or another: what we said unread, it is a reset.
fn is_hung_up(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe)
}

fn speaks_other_tls(error: &io::Error) -> bool {
    use AlertDescription::{HandshakeFailure, NoApplicationProtocol, ProtocolVersion, UnrecognisedName};
    match tls_error(error) {
        Some(rustls::Error::PeerIncompatible(_)) => true,
        Some(rustls::Error::AlertReceived(alert)) => {
            matches!(alert, HandshakeFailure | NoApplicationProtocol | ProtocolVersion | UnrecognisedName)
        }
        _ => false,
    }
}

struct Pinned {
    pin: Option<Pin>,
    seen: Mutex<Option<Fingerprint>>,
    provider: Arc<CryptoProvider>,
}

impl fmt::Debug for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pinned").field("pin", &self.pin).finish_non_exhaustive()
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let shown = fingerprint(certificate);
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
        if self.pin.as_ref().is_none_or(|pin| pin.matches(&shown)) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
