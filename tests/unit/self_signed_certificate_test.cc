#include "server/self_signed_certificate.h"

#include <sys/stat.h>

#include <filesystem>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace trireme {
namespace {

TEST(SelfSignedCertificateTest, IsMadeOnceAndItsKeyIsPrivate) {
  const std::string directory = testing::TempDir() + "/self_signed_certificate";
  std::filesystem::remove_all(directory);
  std::filesystem::create_directory(directory);
  const auto first = LoadOrMakeCertificate(directory);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_TRUE(absl::StrContains(first->certificate, "BEGIN CERTIFICATE"));
  EXPECT_TRUE(absl::StrContains(first->key, "PRIVATE KEY"));
  const auto second = LoadOrMakeCertificate(directory);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->certificate, first->certificate);
  EXPECT_EQ(second->key, first->key);
  struct stat key = {};
  ASSERT_EQ(stat((directory + "/kinesis-tls.key").c_str(), &key), 0);
  EXPECT_EQ(key.st_mode & 0777, 0600u);
  std::filesystem::remove_all(directory);
}

TEST(SelfSignedCertificateTest, NamesTheFileItCannotWrite) {
  const auto made = LoadOrMakeCertificate("/nonexistent");
  EXPECT_TRUE(absl::StrContains(made.status().message(),
                                "/nonexistent/kinesis-tls.key"));
}

}  // namespace
}  // namespace trireme
