#include "server/aws/canonical_request.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace trireme {
namespace {

constexpr absl::string_view kSignatureParameter = "X-Amz-Signature";

bool IsHexDigit(char c) {
  return absl::ascii_isxdigit(static_cast<unsigned char>(c));
}

// RFC 3986's unreserved characters.
bool IsUnreserved(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

std::string Encode(absl::string_view text, absl::string_view kept = "") {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (IsUnreserved(c) || kept.find(c) != kept.npos) {
      encoded.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded.push_back('%');
    encoded.push_back(kDigits[byte >> 4]);
    encoded.push_back(kDigits[byte & 15]);
  }
  return encoded;
}

std::string Decode(absl::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && IsHexDigit(text[i + 1]) &&
        IsHexDigit(text[i + 2])) {
      decoded += absl::HexStringToBytes(text.substr(i + 1, 2));
      i += 2;
    } else {
      decoded.push_back(text[i]);
    }
  }
  return decoded;
}

// Blanks around the value dropped, those within it made one space.
void AppendTrimmed(absl::string_view value, std::string* out) {
  bool blank = false;
  for (const char c : absl::StripAsciiWhitespace(value)) {
    if (absl::ascii_isspace(static_cast<unsigned char>(c))) {
      blank = true;
      continue;
    }
    if (blank) out->push_back(' ');
    blank = false;
    out->push_back(c);
  }
}

struct ByName {
  bool operator()(const HttpHeader* a, const HttpHeader* b) const {
    return a->name < b->name;
  }
  bool operator()(const HttpHeader* a, const std::string& name) const {
    return a->name < name;
  }
  bool operator()(const std::string& name, const HttpHeader* b) const {
    return name < b->name;
  }
};

// Headers of one name stay in the order they were sent in.
std::vector<const HttpHeader*> SortedHeaders(const HttpRequest& request) {
  std::vector<const HttpHeader*> sorted;
  sorted.reserve(request.headers.size());
  for (const HttpHeader& header : request.headers) sorted.push_back(&header);
  std::stable_sort(sorted.begin(), sorted.end(), ByName());
  return sorted;
}

}  // namespace

absl::string_view PathOf(absl::string_view target) {
  return target.substr(0, target.find('?'));
}

absl::string_view QueryOf(absl::string_view target) {
  const size_t mark = target.find('?');
  return mark == target.npos ? absl::string_view() : target.substr(mark + 1);
}

std::vector<QueryParameter> ParseQuery(absl::string_view query) {
  std::vector<QueryParameter> parameters;
  for (const absl::string_view piece :
       absl::StrSplit(query, '&', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> pair =
        absl::StrSplit(piece, absl::MaxSplits('=', 1));
    parameters.push_back({Decode(pair.first), Decode(pair.second)});
  }
  return parameters;
}

std::string CanonicalPath(absl::string_view path) {
  if (path.empty() || path == "/") return "/";
  std::vector<absl::string_view> segments;
  for (const absl::string_view segment : absl::StrSplit(path, '/')) {
    if (segment == "..") {
      if (!segments.empty()) segments.pop_back();
    } else if (!segment.empty() && segment != ".") {
      segments.push_back(segment);
    }
  }
  const bool folder = !segments.empty() && path.back() == '/';
  const std::string normal =
      absl::StrCat("/", absl::StrJoin(segments, "/"), folder ? "/" : "");
  return Encode(normal, "/");
}

std::string CanonicalQuery(absl::string_view query) {
  if (query.empty()) return "";
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const QueryParameter& parameter : ParseQuery(query)) {
    if (parameter.name == kSignatureParameter) continue;
    pairs.emplace_back(Encode(parameter.name), Encode(parameter.value));
  }
  std::sort(pairs.begin(), pairs.end());
  return absl::StrJoin(pairs, "&", absl::PairFormatter("="));
}

AwsOr<std::string> CanonicalRequest(
    const HttpRequest& request, const std::vector<std::string>& signed_headers,
    absl::string_view payload_hash) {
  std::string canonical =
      absl::StrCat(request.method, "\n", CanonicalPath(PathOf(request.target)),
                   "\n", CanonicalQuery(QueryOf(request.target)), "\n");
  const std::vector<const HttpHeader*> headers = SortedHeaders(request);
  for (const std::string& name : signed_headers) {
    const auto [begin, end] =
        std::equal_range(headers.begin(), headers.end(), name, ByName());
    if (begin == end) {
      return AwsError{400, "InvalidSignatureException",
                      absl::StrCat("'SignedHeaders' names '", name,
                                   "', which the request does not have.")};
    }
    absl::StrAppend(&canonical, name, ":");
    for (auto header = begin; header != end; ++header) {
      if (header != begin) canonical.push_back(',');
      AppendTrimmed((*header)->value, &canonical);
    }
    canonical.push_back('\n');
  }
  absl::StrAppend(&canonical, "\n", absl::StrJoin(signed_headers, ";"), "\n",
                  payload_hash);
  return canonical;
}

}  // namespace trireme
