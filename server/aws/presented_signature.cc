#include "server/aws/presented_signature.h"

#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/aws/canonical_request.h"

namespace trireme {
namespace {

constexpr absl::string_view kAlgorithmParameter = "X-Amz-Algorithm";

AwsError Incomplete(std::string message) {
  return {400, "IncompleteSignatureException", std::move(message)};
}

// "AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=...": commas
// and blanks part alike, and of a name given twice the last counts.
AwsOr<PresentedSignature> ReadHeader(const HttpRequest& request,
                                     absl::string_view authorization) {
  PresentedSignature read;
  const std::vector<absl::string_view> pieces =
      absl::StrSplit(authorization, absl::ByAnyChar(", "));
  read.algorithm = std::string(pieces[0]);
  for (size_t i = 1; i < pieces.size(); ++i) {
    const std::vector<absl::string_view> sides =
        absl::StrSplit(absl::StripAsciiWhitespace(pieces[i]), '=');
    const std::string value(sides.size() < 2 ? "" : sides[1]);
    if (sides[0] == "Credential") read.credential = value;
    if (sides[0] == "Signature") read.signature = value;
    if (sides[0] == "SignedHeaders") read.signed_headers = value;
  }
  read.x_amz_date = std::string(request.Header("x-amz-date"));
  std::string missing;
  for (const auto& [name, value] :
       {std::pair("Credential", &read.credential),
        std::pair("Signature", &read.signature),
        std::pair("SignedHeaders", &read.signed_headers)}) {
    if (!value->empty()) continue;
    absl::StrAppend(&missing, "Authorization header requires '", name,
                    "' parameter. ");
  }
  if (read.x_amz_date.empty() && request.Header("date").empty()) {
    absl::StrAppend(&missing,
                    "Authorization header requires existence of either a "
                    "'X-Amz-Date' or a 'Date' header. ");
  }
  if (missing.empty()) return read;
  // Other schemes hold secrets, which belong in nobody's log.
  const size_t scheme = authorization.find(' ');
  const bool has_secret = absl::StartsWithIgnoreCase(authorization, "Basic ") ||
                          absl::StartsWithIgnoreCase(authorization, "Bearer ");
  return Incomplete(absl::StrCat(
      missing, "Authorization=",
      has_secret ? absl::StrCat(authorization.substr(0, scheme), " ...")
                 : std::string(authorization)));
}

// Empty when it is not there; the first one counts.
std::string Value(const std::vector<QueryParameter>& query,
                  absl::string_view name) {
  for (const QueryParameter& parameter : query) {
    if (parameter.name == name) return parameter.value;
  }
  return "";
}

AwsOr<PresentedSignature> ReadQuery(const std::vector<QueryParameter>& query) {
  PresentedSignature read;
  read.presigned = true;
  read.expires_s = Value(query, "X-Amz-Expires");
  std::string missing;
  for (const auto& [name, value] :
       {std::pair(kAlgorithmParameter, &read.algorithm),
        std::pair(absl::string_view("X-Amz-Credential"), &read.credential),
        std::pair(absl::string_view("X-Amz-Signature"), &read.signature),
        std::pair(absl::string_view("X-Amz-SignedHeaders"),
                  &read.signed_headers),
        std::pair(absl::string_view("X-Amz-Date"), &read.x_amz_date)}) {
    *value = Value(query, name);
    if (!value->empty()) continue;
    absl::StrAppend(&missing, "AWS query-string parameters must include '",
                    name, "'. ");
  }
  if (missing.empty()) return read;
  return Incomplete(
      absl::StrCat(missing, "Re-examine the query-string parameters."));
}

bool IsPresigned(const std::vector<QueryParameter>& query) {
  for (const QueryParameter& parameter : query) {
    if (parameter.name == kAlgorithmParameter) return true;
  }
  return false;
}

}  // namespace

AwsOr<PresentedSignature> ReadPresentedSignature(const HttpRequest& request) {
  const absl::string_view authorization = request.Header("authorization");
  const std::vector<QueryParameter> query = ParseQuery(QueryOf(request.target));
  const bool presigned = IsPresigned(query);
  if (!authorization.empty() && presigned) {
    return AwsError{400, "InvalidSignatureException",
                    "Found both 'X-Amz-Algorithm' as a query-string param and "
                    "'Authorization' as HTTP header."};
  }
  if (presigned) return ReadQuery(query);
  if (!authorization.empty()) return ReadHeader(request, authorization);
  return AwsError{400, "MissingAuthenticationTokenException",
                  "Missing Authentication Token"};
}

}  // namespace trireme
