#include "server/aws/sigv4.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/sigv4_examples.h"

namespace trireme {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kWrongSignature[] =
    "The request signature we calculated does not match the signature you "
    "provided. Check your AWS Secret Access Key and signing method. Consult "
    "the service documentation for details.";

SignatureVerifier Verifier(SignatureScope scope = {},
                           const std::string& secret = kExampleSecret) {
  return SignatureVerifier(*AccessKeys::Make({{kExampleKeyId, secret}}), scope);
}

HttpRequest Example(const std::string& name = "APutRecord") {
  for (const SignedExample& example : SignedExamples()) {
    if (example.name == name) return example.request;
  }
  ADD_FAILURE() << "no example " << name;
  return {};
}

std::string& Header(HttpRequest& request, const std::string& name) {
  for (HttpHeader& header : request.headers) {
    if (header.name == name) return header.value;
  }
  return request.headers.emplace_back(HttpHeader{name, ""}).value;
}

void RemoveHeader(HttpRequest& request, const std::string& name) {
  auto& headers = request.headers;
  headers.erase(
      std::remove_if(headers.begin(), headers.end(),
                     [&](const HttpHeader& h) { return h.name == name; }),
      headers.end());
}

void Replace(std::string& text, const std::string& from,
             const std::string& to) {
  ASSERT_EQ(absl::StrReplaceAll({{from, to}}, &text), 1) << from;
}

// "code: message"; "ok" when it verifies.
std::string Verdict(const HttpRequest& request,
                    absl::Time now = ExampleSignedAt(),
                    const SignatureScope& scope = {}) {
  const auto caller = Verifier(scope).Verify(request, now);
  if (caller.ok()) return "ok";
  EXPECT_EQ(caller.error().http_status, 400);
  return absl::StrCat(caller.error().code, ": ", caller.error().message);
}

std::string PresentVerdict(const HttpRequest& request) {
  const auto error = CheckSignaturePresent(request);
  return error ? absl::StrCat(error->code, ": ", error->message) : "ok";
}

// What AWS's own test suite of Signature Version 4 signs.
std::string SuiteVerdict(HttpRequest request, const std::string& signed_headers,
                         const std::string& signature) {
  request.headers.push_back({"host", "example.amazonaws.com"});
  request.headers.push_back({"x-amz-date", "20150830T123600Z"});
  // The suite's own id, AKIDEXAMPLE, is shorter than ours may be; it is not
  // under the signature.
  request.headers.push_back(
      {"authorization",
       absl::StrCat("AWS4-HMAC-SHA256 Credential=", kExampleKeyId,
                    "/20150830/us-east-1/service/aws4_request, SignedHeaders=",
                    signed_headers, ", Signature=", signature)});
  return Verdict(request, absl::FromUnixSeconds(1'440'938'160));
}

struct SuiteVector {
  HttpRequest request;
  std::string signature;
  std::string other_signed_headers = "";
};

const char kUnreserved[] =
    "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

TEST(Sigv4Test, VerifiesTheVectorsOfAws) {
  const HttpHeader form = {"content-type", "application/x-www-form-urlencoded"};
  const auto mine = [](const char* value) {
    return HttpHeader{"my-header1", value};
  };
  const std::vector<SuiteVector> suite = {
      {{"GET", "/", {}, ""},
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {{"GET", "/example/..", {}, ""},
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {{"GET", "//example//", {}, ""},
       "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
      {{"GET", "/./example", {}, ""},
       "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"},
      {{"GET", "/\xe1\x88\xb4", {}, ""},
       "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
      {{"GET", "/?Param2=value2&Param1=value1", {}, ""},
       "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
      {{"GET", absl::StrCat("/?", kUnreserved, "=", kUnreserved), {}, ""},
       "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
      {{"POST", "/", {}, ""},
       "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
      {{"POST", "/", {mine("value1")}, ""},
       "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
       "my-header1"},
      {{"GET", "/", {mine("value2"), mine("value2"), mine("value1")}, ""},
       "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
       "my-header1"},
      {{"GET", "/", {mine(" value1"), {"my-header2", " \"a   b   c\""}}, ""},
       "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
       "my-header1;my-header2"},
      {{"POST", "/", {form}, "Param1=value1"},
       "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
       "content-type"},
  };
  for (const SuiteVector& vector : suite) {
    // The list of names may be sent in any order.
    const std::string signed_headers = absl::StrCat(
        "host;x-amz-date", vector.other_signed_headers.empty() ? "" : ";",
        vector.other_signed_headers);
    EXPECT_EQ(SuiteVerdict(vector.request, signed_headers, vector.signature),
              "ok")
        << vector.request.method << " " << vector.request.target;
  }
}

TEST(Sigv4Test, VerifiesWhatBotocoreSigns) {
  for (const SignedExample& example : SignedExamples()) {
    EXPECT_EQ(PresentVerdict(example.request), "ok") << example.name;
    const auto caller = Verifier({{"dynamodb", "kinesis"}, "eu-central-1"})
                            .Verify(example.request, ExampleSignedAt());
    ASSERT_TRUE(caller.ok()) << example.name << ": " << caller.error().message;
    EXPECT_EQ(caller->access_key_id, kExampleKeyId);
    EXPECT_EQ(caller->region, "eu-central-1");
    EXPECT_EQ(caller->service, "kinesis");
  }
}

TEST(Sigv4Test, RefusesWhatIsNotAsItWasSigned) {
  const std::string wrong =
      absl::StrCat("InvalidSignatureException: ", kWrongSignature);
  for (const SignedExample& example : SignedExamples()) {
    HttpRequest request = example.request;
    request.body += " ";
    EXPECT_THAT(Verdict(request), StartsWith("InvalidSignatureException: T"));
    request = example.request;
    request.method = "PUT";
    EXPECT_EQ(Verdict(request), wrong);
    request = example.request;
    request.target += request.target.find('?') == std::string::npos ? "?" : "&";
    request.target += "z";
    EXPECT_EQ(Verdict(request), wrong);
    request = example.request;
    Header(request, "host") = "localhost";
    EXPECT_EQ(Verdict(request), wrong);
    request = example.request;
    request.headers.push_back({"host", "localhost:4567"});
    EXPECT_EQ(Verdict(request), wrong);
  }
}

TEST(Sigv4Test, DoesNotMindHeadersThatAreNotSigned) {
  HttpRequest request = Example();
  Header(request, "user-agent") = "other";
  RemoveHeader(request, "expect");
  request.headers.push_back({"via", "1.1 proxy"});
  EXPECT_EQ(Verdict(request), "ok");
}

TEST(Sigv4Test, RefusesAnotherSecret) {
  for (const SignedExample& example : SignedExamples()) {
    const auto caller = Verifier({}, "another-secret-as-long")
                            .Verify(example.request, ExampleSignedAt());
    ASSERT_FALSE(caller.ok());
    EXPECT_EQ(caller.error().message, kWrongSignature);
  }
}

TEST(Sigv4Test, RefusesSignaturesOfAnotherForm) {
  const std::string right =
      "aa9a8afc92ca64119f7f41804a2ee1e2b0085aeeb9cf26b975"
      "3c2640aaeea805";
  std::string upper = right;
  for (char& c : upper) c = absl::ascii_toupper(static_cast<unsigned char>(c));
  for (const std::string& signature :
       {upper, right.substr(1), right + "0", std::string(64, '0'),
        std::string("x")}) {
    HttpRequest request = Example();
    Replace(Header(request, "authorization"), right, signature);
    EXPECT_EQ(Verdict(request),
              absl::StrCat("InvalidSignatureException: ", kWrongSignature));
  }
}

TEST(Sigv4Test, RefusesAnUnknownAccessKey) {
  HttpRequest request = Example();
  Replace(Header(request, "authorization"), "EXAMPLE", "EXAMPLF");
  EXPECT_EQ(Verdict(request),
            "UnrecognizedClientException: The security token included in the "
            "request is invalid.");
}

TEST(Sigv4Test, RemembersOnlyKeysThatVerified) {
  const SignatureVerifier verifier = Verifier();
  HttpRequest forged = Example();
  Replace(Header(forged, "authorization"), "Signature=aa", "Signature=ab");
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(verifier.Verify(forged, ExampleSignedAt()).ok());
    EXPECT_TRUE(verifier.Verify(Example(), ExampleSignedAt()).ok());
  }
}

TEST(Sigv4Test, HoldsForFiveMinutesEitherWay) {
  const HttpRequest request = Example();
  const absl::Time at = ExampleSignedAt();
  EXPECT_EQ(Verdict(request, at + absl::Minutes(5)), "ok");
  EXPECT_EQ(Verdict(request, at - absl::Minutes(5)), "ok");
  EXPECT_EQ(Verdict(request, at + absl::Seconds(301)),
            "InvalidSignatureException: Signature expired: 20261123T101500Z is "
            "now earlier than 20261123T101501Z (20261123T102001Z - 5 min.)");
  EXPECT_EQ(Verdict(request, at - absl::Seconds(301)),
            "InvalidSignatureException: Signature not yet current: "
            "20261123T101500Z is still later than 20261123T101459Z "
            "(20261123T100959Z + 5 min.)");
}

TEST(Sigv4Test, HoldsForAsLongAsAPresignedRequestSays) {
  const HttpRequest request = Example("APresignedPostWithABody");
  const absl::Time at = ExampleSignedAt();
  EXPECT_EQ(Verdict(request, at + absl::Hours(7 * 24)), "ok");
  EXPECT_EQ(Verdict(request, at + absl::Hours(7 * 24) + absl::Seconds(1)),
            "InvalidSignatureException: Signature expired: 20261123T101500Z is "
            "now earlier than 20261123T101501Z (20261130T101501Z - 604800 "
            "sec.)");
  EXPECT_THAT(Verdict(request, at - absl::Seconds(301)),
              HasSubstr("Signature not yet current"));
  const HttpRequest brief = Example("APresignedRequestWithASessionToken");
  EXPECT_EQ(Verdict(brief, at + absl::Seconds(60)), "ok");
  EXPECT_THAT(Verdict(brief, at + absl::Seconds(61)),
              HasSubstr("Signature expired"));
}

TEST(Sigv4Test, RefusesOtherTimesOfExpiry) {
  for (const char* expires :
       {"0", "604801", "-1", "+5", "1e3", "99999999999999999999", "%205"}) {
    HttpRequest request = Example("APresignedGet");
    Replace(request.target, "X-Amz-Expires=300",
            absl::StrCat("X-Amz-Expires=", expires));
    EXPECT_THAT(Verdict(request),
                StartsWith("IncompleteSignatureException: 'X-Amz-Expires' must "
                           "be 1 to 604800 seconds. Got '"))
        << expires;
  }
  // Without any, the skew is what counts.
  HttpRequest request = Example("APresignedGet");
  Replace(request.target, "&X-Amz-Expires=300", "");
  EXPECT_EQ(Verdict(request),
            absl::StrCat("InvalidSignatureException: ", kWrongSignature));
  EXPECT_THAT(Verdict(request, ExampleSignedAt() + absl::Seconds(301)),
              HasSubstr("- 5 min.)"));
}

TEST(Sigv4Test, RefusesAMalformedDate) {
  for (const char* date :
       {"2026", "20261123T101500", "20261123T101500z", "2026-11-23T10:15:00Z",
        "20261323T101500Z", "20260231T101500Z", "20261123T241500Z",
        "20261123T106000Z", "20261123T101560Z", "2O261123T101500Z",
        "infinite-future", "Mon, 23 Nov 2026 10:15:00 GMT"}) {
    HttpRequest request = Example();
    Header(request, "x-amz-date") = date;
    EXPECT_EQ(
        Verdict(request),
        absl::StrCat("IncompleteSignatureException: Date must be in "
                     "ISO-8601 'basic format'. Got '",
                     date, "'. See http://en.wikipedia.org/wiki/ISO_8601"));
  }
  HttpRequest request = Example();
  Header(request, "x-amz-date") = std::string(1000, 'x');
  EXPECT_LT(Verdict(request).size(), 250u);
}

TEST(Sigv4Test, TakesADateHeaderInEitherForm) {
  const std::string wrong =
      absl::StrCat("InvalidSignatureException: ", kWrongSignature);
  HttpRequest request = Example("ADateHeader");
  for (const char* date :
       {"Mon, 23 Nov 2026 10:15:00 GMT", "Mon, 23 Nov 2026 11:15:00 +0100",
        "20261123T101500Z"}) {
    Header(request, "date") = date;
    EXPECT_EQ(Verdict(request), wrong) << "the time, but not as signed";
  }
  for (const char* date :
       {"23 Nov 2026", "Mon, 23 Nov 2026 10:15:00 PST", "infinite-future"}) {
    Header(request, "date") = date;
    EXPECT_THAT(Verdict(request),
                HasSubstr("Date must be in ISO-8601 'basic format'"));
  }
}

TEST(Sigv4Test, RefusesAnotherAlgorithm) {
  HttpRequest request = Example();
  Replace(Header(request, "authorization"), "AWS4-HMAC-SHA256",
          "AWS4-HMAC-SHA1");
  EXPECT_EQ(Verdict(request),
            "IncompleteSignatureException: Unsupported AWS 'algorithm': "
            "'AWS4-HMAC-SHA1' (only AWS4-HMAC-SHA256 for now). ");
  request = Example("APresignedGet");
  Replace(request.target, "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256");
  EXPECT_THAT(Verdict(request), HasSubstr("'AWS4-ECDSA-P256-SHA256' (only"));
}

TEST(Sigv4Test, RefusesACredentialThatIsNotOfFiveParts) {
  HttpRequest request = Example();
  Replace(Header(request, "authorization"), "/aws4_request", "");
  EXPECT_EQ(Verdict(request),
            "IncompleteSignatureException: Credential must have exactly 5 "
            "slash-delimited elements, e.g. keyid/date/region/service/term, "
            "got 'AKIAIOSFODNN7EXAMPLE/20261123/eu-central-1/kinesis'");
  request = Example();
  Replace(Header(request, "authorization"), "AKIA", std::string(500, 'A'));
  EXPECT_THAT(Verdict(request),
              HasSubstr("Credential is 559 bytes; the limit is 512"));
}

TEST(Sigv4Test, TellsAllThatIsWrongWithTheScope) {
  HttpRequest request = Example();
  Replace(Header(request, "authorization"),
          "20261123/eu-central-1/kinesis/aws4_request", "20261124/mars/s3/aws");
  EXPECT_EQ(
      Verdict(request, ExampleSignedAt(),
              {{"kinesis", "dynamodb"}, "eu-central-1"}),
      "InvalidSignatureException: Credential should be scoped to a valid "
      "region, not 'mars'. Credential should be scoped to correct service: "
      "'kinesis', 'dynamodb'. Credential should be scoped with a valid "
      "terminator: 'aws4_request', not 'aws'. Date in Credential scope does "
      "not match YYYYMMDD from ISO-8601 version of date from HTTP: '20261124' "
      "!= '20261123', from '20261123T101500Z'. ");
}

TEST(Sigv4Test, TakesAnyRegionUnlessItIsPinned) {
  const HttpRequest request = Example();
  const absl::Time at = ExampleSignedAt();
  EXPECT_EQ(Verdict(request, at, {{"kinesis"}, ""}), "ok");
  EXPECT_EQ(Verdict(request, at, {{}, "us-east-1"}),
            "InvalidSignatureException: Credential should be scoped to a valid "
            "region, not 'eu-central-1'. ");
  EXPECT_EQ(Verdict(request, at, {{"dynamodb"}, ""}),
            "InvalidSignatureException: Credential should be scoped to correct "
            "service: 'dynamodb'. ");
  for (const std::string& region :
       {std::string(), std::string("EU"), std::string("a\nb"),
        std::string(65, 'a')}) {
    HttpRequest odd = Example();
    Replace(Header(odd, "authorization"), "eu-central-1", region);
    EXPECT_THAT(Verdict(odd), HasSubstr("scoped to a valid region, not '"));
  }
}

TEST(Sigv4Test, NeedsTheHostTheDateAndTheTargetSigned) {
  HttpRequest request = Example();
  Replace(Header(request, "authorization"), "host;", "");
  EXPECT_EQ(Verdict(request),
            "InvalidSignatureException: 'Host' or ':authority' must be a "
            "'SignedHeader' in the AWS Authorization.");
  request = Example();
  Replace(Header(request, "authorization"), "x-amz-date;", "");
  EXPECT_THAT(Verdict(request), HasSubstr("'X-Amz-Date' or 'Date' must be a"));
  request = Example();
  Replace(Header(request, "authorization"), ";x-amz-target", "");
  EXPECT_THAT(Verdict(request), HasSubstr("'X-Amz-Target' must be a"));
  request = Example("APresignedGet");
  Header(request, "x-amz-target") = "Kinesis_20131202.DeleteStream";
  EXPECT_THAT(Verdict(request), HasSubstr("'X-Amz-Target' must be a"));
}

TEST(Sigv4Test, TakesSignedHeadersInAnyOrderAndCase) {
  HttpRequest request = Example();
  Replace(Header(request, "authorization"),
          "content-type;host;x-amz-date;x-amz-target",
          "X-Amz-Target;Host;x-amz-date;content-type;host");
  EXPECT_EQ(Verdict(request), "ok");
}

TEST(Sigv4Test, RefusesSignedHeadersThatAreNotThereOrTooMany) {
  HttpRequest request = Example();
  Replace(Header(request, "authorization"), "host;", "host;missing;");
  EXPECT_THAT(Verdict(request), HasSubstr("names 'missing', which"));
  request = Example();
  Replace(Header(request, "authorization"), "host;", "host;;");
  EXPECT_THAT(Verdict(request), HasSubstr("names '', which"));
  std::string many = "host;";
  for (int i = 0; i < 125; ++i) absl::StrAppend(&many, "h", i, ";");
  request = Example();
  Replace(Header(request, "authorization"), "host;", many);
  EXPECT_THAT(Verdict(request), HasSubstr("129 headers; the limit is 128"));
}

TEST(Sigv4Test, RefusesAClaimedHashThatIsNotTheBodys) {
  for (const char* hash : {"UNSIGNED-PAYLOAD", "0"}) {
    HttpRequest request = Example("AClaimedHash");
    Header(request, "x-amz-content-sha256") = hash;
    EXPECT_EQ(Verdict(request),
              "InvalidSignatureException: The provided 'x-amz-content-sha256' "
              "header does not match what was computed.");
  }
}

TEST(Sigv4PresentTest, AsksForASignature) {
  HttpRequest request = Example();
  RemoveHeader(request, "authorization");
  const char kMissing[] =
      "MissingAuthenticationTokenException: Missing Authentication Token";
  EXPECT_EQ(PresentVerdict(request), kMissing);
  EXPECT_EQ(Verdict(request), kMissing);
  Header(request, "authorization") = "";
  EXPECT_EQ(PresentVerdict(request), kMissing);
  request.target = "/?X-Amz-Signature=1&x-amz-algorithm=2";
  EXPECT_EQ(PresentVerdict(request), kMissing);
}

TEST(Sigv4PresentTest, RefusesASignatureInBothPlaces) {
  HttpRequest request = Example();
  request.target = "/?X-Amz-Algorithm";
  const char kBoth[] =
      "InvalidSignatureException: Found both 'X-Amz-Algorithm' as a "
      "query-string param and 'Authorization' as HTTP header.";
  EXPECT_EQ(PresentVerdict(request), kBoth);
  EXPECT_EQ(Verdict(request), kBoth);
}

TEST(Sigv4PresentTest, NamesWhatTheHeaderLacks) {
  HttpRequest request;
  Header(request, "authorization") = "Basic cm9vdA==";
  EXPECT_EQ(PresentVerdict(request),
            "IncompleteSignatureException: Authorization header requires "
            "'Credential' parameter. Authorization header requires 'Signature' "
            "parameter. Authorization header requires 'SignedHeaders' "
            "parameter. Authorization header requires existence of either a "
            "'X-Amz-Date' or a 'Date' header. Authorization=Basic ...");
  Header(request, "authorization") =
      "AWS4-HMAC-SHA256 Credential=a Signature= SignedHeaders";
  Header(request, "date") = "now";
  EXPECT_EQ(PresentVerdict(request),
            "IncompleteSignatureException: Authorization header requires "
            "'Signature' parameter. Authorization header requires "
            "'SignedHeaders' parameter. Authorization=AWS4-HMAC-SHA256 "
            "Credential=a Signature= SignedHeaders");
  EXPECT_EQ(Verdict(request), PresentVerdict(request));
}

TEST(Sigv4PresentTest, TakesWhateverHasTheShape) {
  for (const char* value :
       {"AWS4 Credential=a,Signature=b,SignedHeaders=c",
        "AWS4,SignedHeaders=c Signature=b\t,,  Credential=a=z",
        "x Signature=,SignedHeaders=c,Credential=a,Signature=b"}) {
    HttpRequest request;
    Header(request, "authorization") = value;
    Header(request, "x-amz-date") = "never";
    EXPECT_EQ(PresentVerdict(request), "ok") << value;
  }
}

TEST(Sigv4PresentTest, NamesWhatTheQueryLacks) {
  HttpRequest request;
  request.target = "/?X-Amz-Algorithm";
  EXPECT_EQ(
      PresentVerdict(request),
      "IncompleteSignatureException: AWS query-string parameters must include "
      "'X-Amz-Algorithm'. AWS query-string parameters must include "
      "'X-Amz-Credential'. AWS query-string parameters must include "
      "'X-Amz-Signature'. AWS query-string parameters must include "
      "'X-Amz-SignedHeaders'. AWS query-string parameters must include "
      "'X-Amz-Date'. Re-examine the query-string parameters.");
  request.target =
      "/?X-Amz-Algorithm=a&X-Amz-Signature=b&X-Amz-Date=c"
      "&X-Amz-SignedHeaders=d";
  EXPECT_EQ(
      PresentVerdict(request),
      "IncompleteSignatureException: AWS query-string parameters must include "
      "'X-Amz-Credential'. Re-examine the query-string parameters.");
  EXPECT_EQ(Verdict(request), PresentVerdict(request));
  request.target += "&%58-Amz-Credential=e";
  EXPECT_EQ(PresentVerdict(request), "ok");
}

}  // namespace
}  // namespace trireme
