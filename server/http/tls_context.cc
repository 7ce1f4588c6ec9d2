#include "server/http/tls_context.h"

#include <openssl/ssl.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

namespace ssl = boost::asio::ssl;

// As ALPN writes them: each with its length before it. Ours in our order.
constexpr unsigned char kProtocols[] = "\x02h2\x08http/1.1";
constexpr unsigned char kSessionContext[] = "trireme";

int ChooseProtocol(SSL*, const unsigned char** chosen, unsigned char* size,
                   const unsigned char* offered, unsigned offered_size, void*) {
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, size, kProtocols, sizeof(kProtocols) - 1,
                            offered, offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;  // As a peer without ALPN.
  }
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

absl::Status PemStatus(const ErrorCode& error, absl::string_view what) {
  if (!error) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the TLS ", what, " cannot be used: ", error.message()));
}

absl::Status RequireCertificates(const std::string& ca, ssl::context* context) {
  ErrorCode error;
  context->add_certificate_authority(boost::asio::buffer(ca), error);
  RETURN_IF_ERROR(PemStatus(error, "ca"));
  context->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert,
                           error);
  return PemStatus(error, "ca");
}

}  // namespace

absl::StatusOr<ssl::context> MakeTlsContext(const TlsContents& contents) {
  ssl::context context(ssl::context::tls_server);
  SSL_CTX* const raw = context.native_handle();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                               SSL_OP_CIPHER_SERVER_PREFERENCE);
  // Idle connections keep no buffers.
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(raw, ChooseProtocol, nullptr);
  SSL_CTX_set_session_id_context(raw, kSessionContext,
                                 sizeof(kSessionContext) - 1);
  ErrorCode error;
  context.use_certificate_chain(boost::asio::buffer(contents.certificate),
                                error);
  RETURN_IF_ERROR(PemStatus(error, "certificate"));
  context.use_private_key(boost::asio::buffer(contents.key), ssl::context::pem,
                          error);
  RETURN_IF_ERROR(PemStatus(error, "key"));
  if (!contents.ca.empty()) {
    RETURN_IF_ERROR(RequireCertificates(contents.ca, &context));
  }
  return context;
}

}  // namespace trireme
