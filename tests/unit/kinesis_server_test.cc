// The whole endpoint on a real socket, with access keys: who may call.
#include "server/kinesis/kinesis_server.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace trireme {
namespace {

constexpr char kKey[] = "AKIDTRIREME";
constexpr char kSecret[] = "not-a-secret-at-all";

class KinesisServerTest : public testing::Test {
 protected:
  void Start(bool with_keys) {
    KinesisServerOptions options;
    options.address = "127.0.0.1:0";
    if (with_keys) options.access_keys = *AccessKeys::Make({{kKey, kSecret}});
    auto server = KinesisServer::Start(options);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  void TearDown() override {
    if (server_ != nullptr) server_->Stop(absl::ZeroDuration());
  }

  // The answer to one request of HTTP/1.0, until the server closes.
  std::string Send(const std::string& request) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(server_->port()));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(
        connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(send(fd, request.data(), request.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(request.size()));
    std::string answer;
    char buffer[4096];
    while (true) {
      const ssize_t got = recv(fd, buffer, sizeof(buffer), 0);
      if (got <= 0) break;
      answer.append(buffer, static_cast<size_t>(got));
    }
    close(fd);
    return answer;
  }
  std::string Post(const std::string& path, const std::string& headers,
                   const std::string& body) {
    return Send(absl::StrCat("POST ", path, " HTTP/1.0\r\nHost: h\r\n", headers,
                             "Content-Length: ", body.size(), "\r\n\r\n",
                             body));
  }

  std::unique_ptr<KinesisServer> server_;
};

constexpr char kListStreams[] =
    "Content-Type: application/x-amz-json-1.1\r\n"
    "X-Amz-Target: Kinesis_20131202.ListStreams\r\n";

TEST_F(KinesisServerTest, WithKeysNobodyElseMayCall) {
  Start(/*with_keys=*/true);
  EXPECT_TRUE(absl::StrContains(Post("/", kListStreams, "{}"),
                                "MissingAuthenticationTokenException"));
  EXPECT_TRUE(absl::StrContains(
      Post("/",
           absl::StrCat(kListStreams,
                        "X-Amz-Date: 20150830T123600Z\r\n"
                        "Authorization: AWS4-HMAC-SHA256 Credential=",
                        kKey,
                        "/20150830/us-east-1/kinesis/aws4_request, "
                        "SignedHeaders=host;x-amz-date;x-amz-target, "
                        "Signature=00\r\n"),
           "{}"),
      "InvalidSignatureException"));
  EXPECT_TRUE(absl::StrContains(Post("/streams/s/records", "", "x"),
                                "MissingAuthenticationTokenException"));
  EXPECT_TRUE(absl::StrContains(
      Post("/", "Content-Type: application/x-www-form-urlencoded\r\n",
           "Action=PutMetricData"),
      "MissingAuthenticationTokenException"));
}

TEST_F(KinesisServerTest, WebhooksMayShowAKeyInstead) {
  Start(/*with_keys=*/true);
  const auto basic = [](absl::string_view credentials) {
    return absl::StrCat("Authorization: Basic ",
                        absl::Base64Escape(credentials), "\r\n");
  };
  // Let in, it is told that there is no broker yet.
  EXPECT_TRUE(absl::StrContains(
      Post("/streams/s/records", basic(absl::StrCat(kKey, ":", kSecret)), "x"),
      "503"));
  for (const std::string& wrong :
       {absl::StrCat(kKey, ":wrong"), absl::StrCat(kKey, ":"),
        absl::StrCat("other:", kSecret), std::string(kKey)}) {
    const std::string answer = Post("/streams/s/records", basic(wrong), "x");
    EXPECT_TRUE(absl::StrContains(answer, " 401 ")) << answer;
  }
  // Not for the API, and not in its errors.
  const std::string refused = Post(
      "/", absl::StrCat(kListStreams, basic(absl::StrCat(kKey, ":", kSecret))),
      "{}");
  EXPECT_TRUE(absl::StrContains(refused, "Authorization=Basic ...")) << refused;
}

TEST_F(KinesisServerTest, WithoutKeysNoForeignPageDrivesIt) {
  Start(/*with_keys=*/false);
  const auto answer = [&](const std::string& origin) {
    return Post("/streams/s/records", absl::StrCat("Origin: ", origin, "\r\n"),
                "x");
  };
  for (const char* foreign : {"http://evil.example", "https://evil.example:444",
                              "null", "http://localhost.evil.example"}) {
    EXPECT_TRUE(absl::StrContains(answer(foreign), " 403 ")) << foreign;
  }
  for (const char* own : {"http://localhost:3000", "http://127.0.0.1",
                          "https://[::1]:8443", "http://app.localhost"}) {
    EXPECT_TRUE(absl::StrContains(answer(own), " 503 ")) << answer(own);
  }
}

TEST_F(KinesisServerTest, WithoutKeysAnySignatureWillDo) {
  Start(/*with_keys=*/false);
  EXPECT_TRUE(absl::StrContains(
      Post("/",
           absl::StrCat(kListStreams,
                        "X-Amz-Date: 20150830T123600Z\r\n"
                        "Authorization: AWS4-HMAC-SHA256 Credential=a, "
                        "SignedHeaders=host, Signature=b\r\n"),
           "{}"),
      "ServiceUnavailableException"));
  EXPECT_TRUE(absl::StrContains(Post("/", kListStreams, "{}"),
                                "MissingAuthenticationTokenException"));
}

}  // namespace
}  // namespace trireme
