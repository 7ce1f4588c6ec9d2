// What it takes to verify a signature, by size of the body: with a remembered
// key, as nearly always, and with one that is derived anew. The hash of the
// body alone is the floor. Usage: sigv4_bench [seconds per row]
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/aws/canonical_request.h"
#include "server/aws/sha256.h"
#include "server/aws/sigv4.h"
#include "storage/check.h"

namespace trireme {
namespace {

constexpr char kKeyId[] = "AKIAIOSFODNN7EXAMPLE";
constexpr char kSecret[] = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
constexpr char kTimestamp[] = "20261123T101500Z";
constexpr char kScope[] = "20261123/eu-central-1/kinesis/aws4_request";
constexpr char kSignedHeaders[] = "content-type;host;x-amz-date;x-amz-target";
constexpr int64_t kSignedAtS = 1'795'428'900;

using SteadyClock = std::chrono::steady_clock;

// A PutRecord as the SDKs send it.
HttpRequest SignedRequest(size_t body_bytes) {
  HttpRequest request;
  request.method = "POST";
  request.target = "/";
  request.headers = {{"host", "kinesis.example.com:4567"},
                     {"accept-encoding", "identity"},
                     {"content-type", "application/x-amz-json-1.1"},
                     {"content-length", absl::StrCat(body_bytes)},
                     {"user-agent", "aws-sdk-java/2.20 md/internal"},
                     {"amz-sdk-invocation-id", "a7e1c9a2-3ac1-4c3e"},
                     {"amz-sdk-request", "attempt=1; max=3"},
                     {"x-amz-date", kTimestamp},
                     {"x-amz-target", "Kinesis_20131202.PutRecord"}};
  request.body = std::string(body_bytes, 'b');
  const auto canonical = CanonicalRequest(
      request, {"content-type", "host", "x-amz-date", "x-amz-target"},
      ToHex(Sha256(request.body)));
  Sha256Digest key = HmacSha256(absl::StrCat("AWS4", kSecret), "20261123");
  for (const char* part : {"eu-central-1", "kinesis", "aws4_request"}) {
    key = HmacSha256(AsBytes(key), part);
  }
  const std::string signature = ToHex(HmacSha256(
      AsBytes(key), absl::StrCat("AWS4-HMAC-SHA256\n", kTimestamp, "\n", kScope,
                                 "\n", ToHex(Sha256(*canonical)))));
  request.headers.push_back(
      {"authorization",
       absl::StrCat("AWS4-HMAC-SHA256 Credential=", kKeyId, "/", kScope,
                    ", SignedHeaders=", kSignedHeaders,
                    ", Signature=", signature)});
  return request;
}

double Microseconds(double seconds, const std::function<void()>& run) {
  run();
  const SteadyClock::time_point start = SteadyClock::now();
  const SteadyClock::time_point end =
      start + std::chrono::duration_cast<SteadyClock::duration>(
                  std::chrono::duration<double>(seconds));
  uint64_t runs = 0;
  SteadyClock::time_point now;
  do {
    run();
    ++runs;
    now = SteadyClock::now();
  } while (now < end);
  return std::chrono::duration<double, std::micro>(now - start).count() /
         static_cast<double>(runs);
}

void Row(size_t body_bytes, double seconds) {
  const HttpRequest request = SignedRequest(body_bytes);
  const absl::Time now = absl::FromUnixSeconds(kSignedAtS);
  const auto make = [] {
    return std::make_unique<SignatureVerifier>(
        *AccessKeys::Make({{kKeyId, kSecret}}));
  };
  const auto verifier = make();
  const double floor = Microseconds(
      seconds, [&] { CHECK(Sha256(request.body) != Sha256Digest{}); });
  const double remembered = Microseconds(
      seconds, [&] { CHECK(verifier->Verify(request, now).ok()); });
  const double derived =
      Microseconds(seconds, [&] { CHECK(make()->Verify(request, now).ok()); });
  std::printf("%10zu %14.2f %14.2f %14.2f\n", body_bytes, floor, remembered,
              derived);
}

}  // namespace
}  // namespace trireme

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 1;
  std::printf("%10s %14s %14s %14s\n", "body", "body's hash/us", "verify/us",
              "new key/us");
  for (const size_t body_bytes : {0u, 1024u, 64u << 10, 1u << 20}) {
    trireme::Row(body_bytes, seconds);
  }
}
