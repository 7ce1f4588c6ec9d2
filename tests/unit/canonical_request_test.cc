#include "server/aws/canonical_request.h"

#include <string>

#include "gtest/gtest.h"

namespace trireme {
namespace {

TEST(CanonicalRequestTest, TakesATargetApart) {
  EXPECT_EQ(PathOf("/a?b?c"), "/a");
  EXPECT_EQ(QueryOf("/a?b?c"), "b?c");
  EXPECT_EQ(PathOf("/"), "/");
  EXPECT_EQ(QueryOf("/"), "");
  EXPECT_EQ(PathOf("?a"), "");
  EXPECT_EQ(PathOf(""), "");
}

TEST(CanonicalRequestTest, NormalisesAndEncodesThePath) {
  EXPECT_EQ(CanonicalPath(""), "/");
  EXPECT_EQ(CanonicalPath("/"), "/");
  EXPECT_EQ(CanonicalPath("//"), "/");
  EXPECT_EQ(CanonicalPath("/./"), "/");
  EXPECT_EQ(CanonicalPath("/.."), "/");
  EXPECT_EQ(CanonicalPath("/a/../.."), "/");
  EXPECT_EQ(CanonicalPath("/./example"), "/example");
  EXPECT_EQ(CanonicalPath("//example//"), "/example/");
  EXPECT_EQ(CanonicalPath("/a/b/.."), "/a");
  EXPECT_EQ(CanonicalPath("/a/b/../"), "/a/");
  // Encoded once more, an encoded dot is no dot segment.
  EXPECT_EQ(CanonicalPath("/a%20b/%2e%2E/c"), "/a%2520b/%252e%252E/c");
  EXPECT_EQ(CanonicalPath("/-._~ \xe1\x88\xb4"), "/-._~%20%E1%88%B4");
}

TEST(CanonicalRequestTest, SortsTheQueryByNameThenValue) {
  EXPECT_EQ(CanonicalQuery(""), "");
  EXPECT_EQ(CanonicalQuery("b=2&a=2&a=1&A=3"), "A=3&a=1&a=2&b=2");
  // By name first: "a=" sorts before "a-b=", although '-' is before '='.
  EXPECT_EQ(CanonicalQuery("a-b=1&a=2"), "a=2&a-b=1");
  EXPECT_EQ(CanonicalQuery("flag&empty=&&x=1=2"), "empty=&flag=&x=1%3D2");
}

TEST(CanonicalRequestTest, WritesEachCharacterOfTheQueryInOneWay) {
  EXPECT_EQ(CanonicalQuery("%61=%7e%2f"), "a=~%2F");
  EXPECT_EQ(CanonicalQuery("a=b+c"), "a=b%2Bc");
  EXPECT_EQ(CanonicalQuery("a=%&b=%4&c=%4x&d=%%41"),
            "a=%25&b=%254&c=%254x&d=%25A");
}

TEST(CanonicalRequestTest, LeavesTheSignatureOut) {
  EXPECT_EQ(CanonicalQuery("X-Amz-Signature=1&X-Amz-Date=2&%58-Amz-Signature"),
            "X-Amz-Date=2");
}

TEST(CanonicalRequestTest, HasTheFormThatIsSigned) {
  HttpRequest request;
  request.method = "POST";
  request.target = "/a/./b?y=2&x=1";
  request.headers = {{"host", "example.com"},
                     {"z", " 1  2\t 3 "},
                     {"unsigned", "?"},
                     {"a", ""},
                     {"z", "4"}};
  const auto canonical = CanonicalRequest(request, {"a", "host", "z"}, "HASH");
  ASSERT_TRUE(canonical.ok());
  EXPECT_EQ(*canonical,
            "POST\n/a/b\nx=1&y=2\na:\nhost:example.com\nz:1 2 3,4\n\n"
            "a;host;z\nHASH");
}

TEST(CanonicalRequestTest, RefusesASignedHeaderThatIsNotThere) {
  HttpRequest request;
  request.headers = {{"host", "example.com"}};
  const auto canonical = CanonicalRequest(request, {"host", "other"}, "HASH");
  ASSERT_FALSE(canonical.ok());
  EXPECT_EQ(canonical.error().code, "InvalidSignatureException");
  EXPECT_EQ(canonical.error().message,
            "'SignedHeaders' names 'other', which the request does not have.");
}

}  // namespace
}  // namespace trireme
