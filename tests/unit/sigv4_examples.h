// Requests to Kinesis as botocore 1.29 signs them: SigV4Auth and, where the
// signature is in the query, SigV4QueryAuth (with the hash of the body), its
// clock at ExampleSignedAt().
#ifndef TRIREME_TESTS_UNIT_SIGV4_EXAMPLES_H_
#define TRIREME_TESTS_UNIT_SIGV4_EXAMPLES_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "server/aws/access_keys.h"
#include "server/http/http_exchange.h"

namespace trireme {

inline constexpr char kExampleKeyId[] = "AKIAIOSFODNN7EXAMPLE";
// The one of AWS's documentation.
inline constexpr char kExampleSecret[] =
    "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

// 2026-11-23 10:15:00.
inline absl::Time ExampleSignedAt() {
  return absl::FromUnixSeconds(1'795'428'900);
}

struct SignedExample {
  std::string name;
  HttpRequest request;
};

inline std::vector<SignedExample> SignedExamples() {
  return {
      {"APutRecord",
       {"POST",
        "/",
        {
            {"host", "localhost:4567"},
            {"x-amz-target", "Kinesis_20131202.PutRecord"},
            {"content-type", "application/x-amz-json-1.1"},
            {"user-agent", "Boto3/1.26"},
            {"expect", "100-continue"},
            {"x-amz-date", "20261123T101500Z"},
            {"authorization",
             "AWS4-HMAC-SHA256 "
             "Credential=AKIAIOSFODNN7EXAMPLE/20261123/eu-central-1/kinesis/"
             "aws4_request, "
             "SignedHeaders=content-type;host;x-amz-date;x-amz-target, "
             "Signature="
             "aa9a8afc92ca64119f7f41804a2ee1e2b0085aeeb9cf26b9753c2640aaeea80"
             "5"},
        },
        "{\"StreamName\": \"orders\", \"Data\": \"aGVsbG8=\", "
        "\"PartitionKey\": \"k\"}"}},
      {"ABodyAndAHeaderThatAreNotAscii",
       {"POST",
        "/",
        {
            {"host", "localhost:4567"},
            {"x-amz-target", "Kinesis_20131202.PutRecord"},
            {"content-type", "application/x-amz-json-1.1"},
            {"user-agent", "Boto3/1.26"},
            {"expect", "100-continue"},
            {"x-amz-meta-city", "Z\303\274rich"},
            {"x-amz-date", "20261123T101500Z"},
            {"authorization",
             "AWS4-HMAC-SHA256 "
             "Credential=AKIAIOSFODNN7EXAMPLE/20261123/eu-central-1/kinesis/"
             "aws4_request, "
             "SignedHeaders=content-type;host;x-amz-date;x-amz-meta-city;x-amz-"
             "target, "
             "Signature="
             "76522b52e572edd238c98d6b893e46f76e62deeb2decce2c58c79de89fb6984"
             "c"},
        },
        "{\"StreamName\": \"orders\", \"PartitionKey\": "
        "\"\346\227\245\346\234\254\350\252\236 \360\237\230\200\"}"}},
      {"BytesThatAreNoText",
       {"POST",
        "/",
        {
            {"host", "localhost:4567"},
            {"x-amz-target", "Kinesis_20131202.ListStreams"},
            {"content-type", "application/x-amz-cbor-1.1"},
            {"x-amz-date", "20261123T101500Z"},
            {"authorization",
             "AWS4-HMAC-SHA256 "
             "Credential=AKIAIOSFODNN7EXAMPLE/20261123/eu-central-1/kinesis/"
             "aws4_request, "
             "SignedHeaders=content-type;host;x-amz-date;x-amz-target, "
             "Signature="
             "40d0d0369a7391ad80f8f4ba61ac7cc8565b406d42f99ae988a26fc4fece703"
             "7"},
        },
        "\241eLimit\001\377"}},
      {"ASessionToken",
       {"POST",
        "/",
        {
            {"host", "localhost:4567"},
            {"x-amz-target", "Kinesis_20131202.PutRecord"},
            {"content-type", "application/x-amz-json-1.1"},
            {"user-agent", "Boto3/1.26"},
            {"expect", "100-continue"},
            {"x-amz-date", "20261123T101500Z"},
            {"x-amz-security-token", "IQoJb3JpZ2luX2VjEXAMPLE//token+=="},
            {"authorization",
             "AWS4-HMAC-SHA256 "
             "Credential=AKIAIOSFODNN7EXAMPLE/20261123/eu-central-1/kinesis/"
             "aws4_request, "
             "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;"
             "x-amz-target, "
             "Signature="
             "9928326ac716545e54be911282bfa10f6c2ae9469db0f689ec9c9082f0dec94"
             "8"},
        },
        "{\"StreamName\": \"orders\", \"Data\": \"aGVsbG8=\", "
        "\"PartitionKey\": \"k\"}"}},
      {"AnOddQuery",
       {"GET",
        "/?b=2&a=b%20c&a=b&A=1&flag&empty=&%C3%A9=%F0%9F%98%80&sum=1%2B1",
        {
            {"host", "localhost:4567"},
            {"x-amz-date", "20261123T101500Z"},
            {"authorization",
             "AWS4-HMAC-SHA256 "
             "Credential=AKIAIOSFODNN7EXAMPLE/20261123/eu-central-1/kinesis/"
             "aws4_request, SignedHeaders=host;x-amz-date, "
             "Signature="
             "b22a3fe130eaa2e653d1eb4b437ffd5a80dfab7073352be72d487801f4d9fc4"
             "4"},
        },
        ""}},
      {"AnOddPath",
       {"GET",
        "/a%20b//c/./d/../e~(f)/",
        {
            {"host", "localhost:4567"},
            {"x-amz-date", "20261123T101500Z"},
            {"authorization",
             "AWS4-HMAC-SHA256 "
             "Credential=AKIAIOSFODNN7EXAMPLE/20261123/eu-central-1/kinesis/"
             "aws4_request, SignedHeaders=host;x-amz-date, "
             "Signature="
             "89b7fcf4a9e6b8343945034ad0d0105bcf46c703b9cd933ebdbe6655dda520e"
             "b"},
        },
        ""}},
      {"BlanksInHeaders",
       {"POST",
        "/",
        {
            {"host", "localhost:4567"},
            {"x-amz-target", "Kinesis_20131202.PutRecord"},
            {"content-type", "application/x-amz-json-1.1"},
            {"user-agent", "Boto3/1.26"},
            {"expect", "100-continue"},
            {"x-odd", "  two   words\011 and  a tab "},
            {"x-odd", "again"},
            {"x-empty", ""},
            {"x-amz-date", "20261123T101500Z"},
            {"authorization",
             "AWS4-HMAC-SHA256 "
             "Credential=AKIAIOSFODNN7EXAMPLE/20261123/eu-central-1/kinesis/"
             "aws4_request, "
             "SignedHeaders=content-type;host;x-amz-date;x-amz-target;x-empty;"
             "x-odd, "
             "Signature="
             "bbc76b8e64ce5c1f10d2b4810a31978f5099f36b15751183472cbd0388ea4c3"
             "e"},
        },
        "{\"StreamName\": \"orders\", \"Data\": \"aGVsbG8=\", "
        "\"PartitionKey\": \"k\"}"}},
      {"ADateHeader",
       {"POST",
        "/",
        {
            {"host", "localhost:4567"},
            {"x-amz-target", "Kinesis_20131202.PutRecord"},
            {"content-type", "application/x-amz-json-1.1"},
            {"user-agent", "Boto3/1.26"},
            {"expect", "100-continue"},
            {"date", "Mon, 23 Nov 2026 10:15:00 -0000"},
            {"authorization",
             "AWS4-HMAC-SHA256 "
             "Credential=AKIAIOSFODNN7EXAMPLE/20261123/eu-central-1/kinesis/"
             "aws4_request, SignedHeaders=content-type;date;host;x-amz-target, "
             "Signature="
             "7c6b576bc64ff0bc3b2ef078de2efdc7aa560abbfc0b525c6d5f5f766a32a7c"
             "5"},
        },
        "{\"StreamName\": \"orders\", \"Data\": \"aGVsbG8=\", "
        "\"PartitionKey\": \"k\"}"}},
      {"AClaimedHash",
       {"POST",
        "/",
        {
            {"host", "localhost:4567"},
            {"x-amz-target", "Kinesis_20131202.PutRecord"},
            {"content-type", "application/x-amz-json-1.1"},
            {"user-agent", "Boto3/1.26"},
            {"expect", "100-continue"},
            {"x-amz-content-sha256",
             "0852feefdea42a97fb5bb56b6df0b5f12a0a3b700ba11da384136d05f22bcf0"
             "a"},
            {"x-amz-date", "20261123T101500Z"},
            {"authorization",
             "AWS4-HMAC-SHA256 "
             "Credential=AKIAIOSFODNN7EXAMPLE/20261123/eu-central-1/kinesis/"
             "aws4_request, "
             "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;"
             "x-amz-target, "
             "Signature="
             "52490f9e8f3acae99dca42cc0928875223ee53a6083959bf9a3f2e73abd1951"
             "1"},
        },
        "{\"StreamName\": \"orders\", \"Data\": \"aGVsbG8=\", "
        "\"PartitionKey\": \"k\"}"}},
      {"AnEmptyBody",
       {"POST",
        "/",
        {
            {"host", "localhost:4567"},
            {"x-amz-target", "Kinesis_20131202.PutRecord"},
            {"content-type", "application/x-amz-json-1.1"},
            {"user-agent", "Boto3/1.26"},
            {"expect", "100-continue"},
            {"x-amz-date", "20261123T101500Z"},
            {"authorization",
             "AWS4-HMAC-SHA256 "
             "Credential=AKIAIOSFODNN7EXAMPLE/20261123/eu-central-1/kinesis/"
             "aws4_request, "
             "SignedHeaders=content-type;host;x-amz-date;x-amz-target, "
             "Signature="
             "03e8414de0c471cb998478cab17a2be887b800603272f45a707f07ec24e67ba"
             "e"},
        },
        ""}},
      {"APresignedGet",
       {"GET",
        "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="
        "AKIAIOSFODNN7EXAMPLE%2F20261123%2Feu-central-1%2Fkinesis%2Faws4_"
        "request&X-Amz-Date=20261123T101500Z&X-Amz-Expires=300&X-Amz-"
        "SignedHeaders=host&X-Amz-Signature="
        "d09ec46d840ae6b483a54b019bf41ef73428339372b0301d9040071ae2143c10",
        {
            {"host", "localhost:4567"},
        },
        ""}},
      {"APresignedPostWithABody",
       {"POST",
        "/?Action=Put%20it&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="
        "AKIAIOSFODNN7EXAMPLE%2F20261123%2Feu-central-1%2Fkinesis%2Faws4_"
        "request&X-Amz-Date=20261123T101500Z&X-Amz-Expires=604800&X-Amz-"
        "SignedHeaders=content-type%3Bhost%3Bx-amz-target&X-Amz-Signature="
        "383bd13eb1df21e68c1d6307a3ee6a1fd5872e90ec6ec299698e645f34a4bcca",
        {
            {"host", "localhost:4567"},
            {"x-amz-target", "Kinesis_20131202.PutRecord"},
            {"content-type", "application/x-amz-json-1.1"},
            {"user-agent", "Boto3/1.26"},
            {"expect", "100-continue"},
        },
        "{\"StreamName\": \"orders\", \"Data\": \"aGVsbG8=\", "
        "\"PartitionKey\": \"k\"}"}},
      {"APresignedRequestWithASessionToken",
       {"GET",
        "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="
        "AKIAIOSFODNN7EXAMPLE%2F20261123%2Feu-central-1%2Fkinesis%2Faws4_"
        "request&X-Amz-Date=20261123T101500Z&X-Amz-Expires=60&X-Amz-"
        "SignedHeaders=host&X-Amz-Security-Token=IQoJb3JpZ2luX2VjEXAMPLE%2F%"
        "2Ftoken%2B%3D%3D&X-Amz-Signature="
        "803fb3fdea716f4ab2f9b9042f6924389c8dcbf30e877eebce38b8e70b243e91",
        {
            {"host", "localhost:4567"},
        },
        ""}},
  };
}

}  // namespace trireme

#endif  // TRIREME_TESTS_UNIT_SIGV4_EXAMPLES_H_
