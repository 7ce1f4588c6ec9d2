#include "server/self_signed_certificate.h"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

#include "absl/strings/str_cat.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

constexpr long kVersion3 = 2;
constexpr long kValidSeconds = 10L * 365 * 24 * 3600;
constexpr char kNames[] = "DNS:localhost,IP:127.0.0.1,IP:::1";

template <auto kFree>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using CertificatePtr = std::unique_ptr<X509, Freer<X509_free>>;
using ExtensionPtr =
    std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>>;
using BioPtr = std::unique_ptr<BIO, Freer<BIO_free>>;

bool AddExtension(X509* certificate, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const ExtensionPtr extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  return extension != nullptr &&
         X509_add_ext(certificate, extension.get(), -1) == 1;
}

CertificatePtr MakeCertificate(EVP_PKEY* key) {
  CertificatePtr certificate(X509_new());
  if (certificate == nullptr) return nullptr;
  X509* const x509 = certificate.get();
  uint64_t serial = 0;
  X509_NAME* const name = X509_get_subject_name(x509);
  const bool made =
      RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof(serial)) ==
          1 &&
      ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509), serial >> 1) == 1 &&
      X509_set_version(x509, kVersion3) == 1 &&
      X509_gmtime_adj(X509_getm_notBefore(x509), 0) != nullptr &&
      X509_gmtime_adj(X509_getm_notAfter(x509), kValidSeconds) != nullptr &&
      X509_set_pubkey(x509, key) == 1 &&
      X509_NAME_add_entry_by_txt(
          name, "CN", MBSTRING_ASC,
          reinterpret_cast<const unsigned char*>("localhost"), -1, -1,
          0) == 1 &&
      X509_set_issuer_name(x509, name) == 1 &&
      AddExtension(x509, NID_basic_constraints, "critical,CA:TRUE") &&
      AddExtension(x509, NID_subject_alt_name, kNames) &&
      X509_sign(x509, key, EVP_sha256()) > 0;
  return made ? std::move(certificate) : nullptr;
}

std::string TextOf(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  return std::string(bytes, static_cast<size_t>(size));
}

absl::StatusOr<TlsContents> Make() {
  const KeyPtr key(EVP_EC_gen("P-256"));
  const CertificatePtr certificate =
      key == nullptr ? nullptr : MakeCertificate(key.get());
  const BioPtr certificate_pem(BIO_new(BIO_s_mem()));
  const BioPtr key_pem(BIO_new(BIO_s_mem()));
  if (certificate == nullptr ||
      PEM_write_bio_X509(certificate_pem.get(), certificate.get()) != 1 ||
      PEM_write_bio_PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0,
                               nullptr, nullptr) != 1) {
    return absl::InternalError("OpenSSL could not make a certificate");
  }
  TlsContents contents;
  contents.certificate = TextOf(certificate_pem.get());
  contents.key = TextOf(key_pem.get());
  return contents;
}

absl::Status WriteFile(const std::string& path, const std::string& contents,
                       mode_t mode) {
  const int file =
      open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  absl::string_view rest = contents;
  while (file >= 0 && !rest.empty()) {
    const ssize_t written = write(file, rest.data(), rest.size());
    if (written <= 0) break;
    rest.remove_prefix(static_cast<size_t>(written));
  }
  const bool durable = file >= 0 && rest.empty() && fsync(file) == 0;
  const int error = errno;
  if (file >= 0) close(file);
  if (durable) return absl::OkStatus();
  return absl::ErrnoToStatus(error, absl::StrCat("cannot write ", path));
}

}  // namespace

absl::StatusOr<TlsContents> LoadOrMakeCertificate(
    const std::string& directory) {
  TlsFiles files;
  files.certificate = directory + "/kinesis-tls.crt";
  files.key = directory + "/kinesis-tls.key";
  // The certificate is written last: where it is, the key is too.
  if (std::filesystem::exists(files.certificate)) return ReadTlsFiles(files);
  ASSIGN_OR_RETURN(TlsContents contents, Make());
  RETURN_IF_ERROR(WriteFile(files.key, contents.key, S_IRUSR | S_IWUSR));
  const std::string unfinished = files.certificate + ".new";
  RETURN_IF_ERROR(WriteFile(unfinished, contents.certificate,
                            S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH));
  std::error_code error;
  std::filesystem::rename(unfinished, files.certificate, error);
  if (error) {
    return absl::ErrnoToStatus(
        error.value(), absl::StrCat("cannot write ", files.certificate));
  }
  return contents;
}

}  // namespace trireme
