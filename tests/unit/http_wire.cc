#include "tests/unit/http_wire.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "gtest/gtest.h"
#include "storage/check.h"

namespace trireme {
namespace {

constexpr int kPatienceS = 20;

// Takes what was written to it.
std::string TextOf(BIO* bio) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  std::string taken(text, static_cast<size_t>(size));
  BIO_free(bio);
  return taken;
}

}  // namespace

TlsContents MakeCertificate() {
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  X509* const certificate = X509_new();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME* const name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(
      name, "CN", MBSTRING_ASC,
      reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  CHECK(X509_sign(certificate, key, EVP_sha256()) > 0);
  BIO* const certificate_text = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(certificate_text, certificate);
  BIO* const key_text = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(key_text, key, nullptr, nullptr, 0, nullptr,
                           nullptr);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return {.certificate = TextOf(certificate_text), .key = TextOf(key_text)};
}

HttpWire::HttpWire(int port, int receive_buffer) {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (receive_buffer > 0) {
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer,
               sizeof(receive_buffer));
  }
  const timeval patience = {.tv_sec = kPatienceS};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(connect(fd_, reinterpret_cast<const sockaddr*>(&address),
                sizeof(address)) == 0);
}

HttpWire::~HttpWire() {
  SSL_free(tls_);
  SSL_CTX_free(context_);
  if (fd_ >= 0) close(fd_);
}

bool HttpWire::Secure(absl::string_view alpn, const TlsContents* own) {
  context_ = SSL_CTX_new(TLS_client_method());
  if (own != nullptr) {
    BIO* const text = BIO_new_mem_buf(own->certificate.data(), -1);
    X509* const certificate =
        PEM_read_bio_X509(text, nullptr, nullptr, nullptr);
    BIO* const key_text = BIO_new_mem_buf(own->key.data(), -1);
    EVP_PKEY* const key =
        PEM_read_bio_PrivateKey(key_text, nullptr, nullptr, nullptr);
    SSL_CTX_use_certificate(context_, certificate);
    SSL_CTX_use_PrivateKey(context_, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
    BIO_free(text);
    BIO_free(key_text);
  }
  tls_ = SSL_new(context_);
  if (!alpn.empty()) {
    const std::string offered =
        static_cast<char>(alpn.size()) + std::string(alpn);
    SSL_set_alpn_protos(tls_,
                        reinterpret_cast<const unsigned char*>(offered.data()),
                        static_cast<unsigned>(offered.size()));
  }
  SSL_set_fd(tls_, fd_);
  return SSL_connect(tls_) == 1;
}

std::string HttpWire::Alpn() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(tls_, &name, &size);
  return std::string(reinterpret_cast<const char*>(name), size);
}

bool HttpWire::Send(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent =
        tls_ != nullptr
            ? SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()))
            : send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

void HttpWire::EndOutput() { shutdown(fd_, SHUT_WR); }

std::string HttpWire::Receive() {
  if (!rest_.empty()) return std::exchange(rest_, std::string());
  std::array<char, 16 << 10> buffer;
  const ssize_t received =
      tls_ != nullptr
          ? SSL_read(tls_, buffer.data(), static_cast<int>(buffer.size()))
          : recv(fd_, buffer.data(), buffer.size(), 0);
  if (received < 0 && tls_ == nullptr && errno == EAGAIN) {
    ADD_FAILURE() << "nothing came for " << kPatienceS << " s";
  }
  return received <= 0
             ? std::string()
             : std::string(buffer.data(), static_cast<size_t>(received));
}

std::string HttpWire::ReceiveUntil(absl::string_view end) {
  std::string all;
  size_t found = std::string::npos;
  while (found == std::string::npos) {
    const std::string more = Receive();
    if (more.empty()) return all;
    all += more;
    found = all.find(std::string(end));
  }
  rest_ = all.substr(found + end.size());
  all.resize(found + end.size());
  return all;
}

std::string HttpWire::ReceiveBytes(size_t count) {
  std::string all;
  while (all.size() < count) {
    const std::string more = Receive();
    if (more.empty()) return all;
    all += more;
  }
  rest_ = all.substr(count);
  all.resize(count);
  return all;
}

std::string HttpWire::ReceiveAll() {
  std::string all;
  for (std::string more = Receive(); !more.empty(); more = Receive()) {
    all += more;
  }
  return all;
}

void HttpWire::Reset() {
  const linger at_once = {.l_onoff = 1, .l_linger = 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  close(fd_);
  fd_ = -1;
}

}  // namespace trireme
