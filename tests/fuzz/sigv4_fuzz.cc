// Requests that come from anywhere, against a server that has access keys. The
// verifier never fails, says the same twice, and takes nothing but what was
// signed: a request with a signature of botocore's, in that request's canonical
// form. With another secret it takes nothing at all. An input that begins with
// a capital is a request in HTTP/1.1's manner; any other is choices that spoil
// a signed one.
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/aws/canonical_request.h"
#include "server/aws/sigv4.h"
#include "storage/check.h"
#include "tests/fuzz/input.h"
#include "tests/unit/sigv4_examples.h"

namespace trireme {
namespace {

constexpr uint64_t kChangesMax = 6;

SignatureVerifier Verifier(const char* secret) {
  return SignatureVerifier(*AccessKeys::Make({{kExampleKeyId, secret}}));
}

// All that tells one of the signed requests from another. Blanks around a
// header's value are not under the signature.
std::string Essence(const HttpRequest& request) {
  return absl::StrCat(
      request.method, "\n", CanonicalPath(PathOf(request.target)), "\n",
      CanonicalQuery(QueryOf(request.target)), "\n",
      absl::StripAsciiWhitespace(request.Header("host")), "\n",
      absl::StripAsciiWhitespace(request.Header("x-amz-target")), "\n",
      request.body);
}

bool WasSigned(const HttpRequest& request) {
  static const auto* const essences = [] {
    auto* const all = new std::set<std::string>();
    for (const SignedExample& example : SignedExamples()) {
      all->insert(Essence(example.request));
    }
    return all;
  }();
  return essences->contains(Essence(request));
}

void Check(const HttpRequest& request, absl::Time now) {
  static const SignatureVerifier right = Verifier(kExampleSecret);
  static const SignatureVerifier wrong = Verifier("some-other-secret-word");
  const auto present = CheckSignaturePresent(request);
  const auto caller = right.Verify(request, now);
  CHECK(!wrong.Verify(request, now).ok());
  CHECK(right.Verify(request, now).ok() == caller.ok());
  if (!caller.ok()) {
    CHECK(!caller.error().code.empty() && !caller.error().message.empty());
    if (present) CHECK(present->message == caller.error().message);
    return;
  }
  CHECK(!present);
  CHECK(caller->access_key_id == kExampleKeyId);
  CHECK(WasSigned(request));
}

void SpoilText(Input& input, std::string& text) {
  const size_t at = input.Below(text.size() + 1);
  switch (input.Below(4)) {
    case 0:
      text.insert(at, input.Bytes(1 + input.Below(4)));
      return;
    case 1:
      text.erase(at, 1 + input.Below(20));
      return;
    case 2:
      if (at < text.size()) text[at] = static_cast<char>(input.Byte());
      return;
    default: {
      static constexpr const char* kMarks[] = {
          ";", "/", "=", "%", "&",  "%2f", "X-Amz-Expires=",  "SignedHeaders=",
          ",", " ", "?", ".", "..", "\t",  "X-Amz-Algorithm", "Credential="};
      text.insert(at, kMarks[input.Below(16)]);
    }
  }
}

void SpoilHeaders(Input& input, std::vector<HttpHeader>& headers) {
  if (headers.empty()) return;
  const size_t at = input.Below(headers.size());
  switch (input.Below(5)) {
    case 0:
      headers.erase(headers.begin() + static_cast<ptrdiff_t>(at));
      return;
    case 1:
      headers.push_back(HttpHeader(headers[at]));
      return;
    case 2:
      std::swap(headers[at], headers[input.Below(headers.size())]);
      return;
    default:
      SpoilText(input, headers[at].value);
  }
}

void CheckSpoilt(Input& input) {
  static const auto* const examples =
      new std::vector<SignedExample>(SignedExamples());
  HttpRequest request = (*examples)[input.Below(examples->size())].request;
  absl::Time now = ExampleSignedAt();
  for (uint64_t left = input.Below(kChangesMax); left > 0; --left) {
    switch (input.Below(8)) {
      case 0:
        SpoilText(input, request.body);
        break;
      case 1:
        SpoilText(input, request.method);
        break;
      case 2:
      case 3:
        SpoilText(input, request.target);
        break;
      case 4:
        now += absl::Seconds(input.Below(800)) - absl::Seconds(400);
        break;
      default:
        SpoilHeaders(input, request.headers);
    }
  }
  Check(request, now);
}

// "POST /?a HTTP/1.1", the version or not; "name: value" lines; an empty line;
// the body.
HttpRequest ParseRequest(const std::string& text) {
  const std::pair<std::string, std::string> parts =
      absl::StrSplit(text, absl::MaxSplits("\n\n", 1));
  const std::vector<std::string> lines = absl::StrSplit(parts.first, '\n');
  const std::vector<std::string> words = absl::StrSplit(lines[0], ' ');
  HttpRequest request;
  request.method = words[0];
  if (words.size() > 1) request.target = words[1];
  request.body = parts.second;
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::pair<std::string, std::string> header =
        absl::StrSplit(lines[i], absl::MaxSplits(": ", 1));
    request.headers.push_back({header.first, header.second});
  }
  return request;
}

void Run(Input input) {
  Input choices = input;
  const std::string text = input.Rest();
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') {
    Check(ParseRequest(text), ExampleSignedAt());
  } else {
    CheckSpoilt(choices);
  }
}

}  // namespace
}  // namespace trireme

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  trireme::Run(trireme::Input(data, size));
  return 0;
}
