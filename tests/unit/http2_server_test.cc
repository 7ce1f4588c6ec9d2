// HTTP/2 as its clients see it, over real sockets.
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "server/http/http_server.h"
#include "tests/unit/http2_client.h"
#include "tests/unit/http_services.h"

namespace trireme {
namespace {

using ::testing::HasSubstr;

class Http2ServerTest : public ::testing::Test {
 protected:
  void Start(HttpService* service) {
    options_.address = "127.0.0.1:0";
    auto server = HttpServer::Start(options_, service);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  HttpServerOptions options_;
  EchoService echo_;
  HeldService held_;
  std::unique_ptr<HttpServer> server_;  // Ends before the services.
};

TEST_F(Http2ServerTest, ServesManyRequestsAtOnceByPriorKnowledge) {
  Start(&echo_);
  HttpWire wire(server_->port());
  Http2Client client(&wire);
  std::vector<int32_t> streams;
  for (int i = 0; i < 50; ++i) {
    streams.push_back(
        client.Request("POST", absl::StrCat("/", i), std::string(30'000, 'b')));
  }
  for (size_t i = 0; i < streams.size(); ++i) {
    const Http2Answer& answer = client.Await(streams[i]);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.error, NGHTTP2_NO_ERROR);
    EXPECT_EQ(answer.body,
              absl::StrCat("POST /", i, " ", std::string(30'000, 'b')));
    EXPECT_EQ(FindHeader(answer.headers, "x-host"), "localhost");
    EXPECT_EQ(FindHeader(answer.headers, "content-length"),
              absl::StrCat(answer.body.size()));
    EXPECT_NE(FindHeader(answer.headers, "date"), "");
  }
  client.Ping();
  client.AwaitPong();
}

TEST_F(Http2ServerTest, AnswersHeadWithoutABody) {
  Start(&echo_);
  HttpWire wire(server_->port());
  Http2Client client(&wire);
  const Http2Answer& answer = client.Await(client.Request("HEAD", "/"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(FindHeader(answer.headers, "content-length"), "7");
  EXPECT_EQ(answer.body, "");
}

TEST_F(Http2ServerTest, UpgradesAnHttp1RequestAndItsBody) {
  Start(&echo_);
  HttpWire wire(server_->port());
  // MAX_CONCURRENT_STREAMS 100.
  const std::string settings("\0\3\0\0\0\x64", 6);
  wire.Send(absl::StrCat(
      "POST /up HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\n"
      "Upgrade: h2c\r\nHTTP2-Settings: ",
      absl::WebSafeBase64Escape(settings),
      "\r\nContent-Length: 4\r\n\r\nbody"));
  EXPECT_THAT(wire.ReceiveUntil("\r\n\r\n"), HasSubstr("HTTP/1.1 101 "));
  Http2Client client(&wire);
  client.BeginUpgraded(settings);
  EXPECT_EQ(client.Await(1).body, "POST /up body");
  EXPECT_EQ(client.Await(client.Request("GET", "/next")).body, "GET /next ");
}

TEST_F(Http2ServerTest, RefusesHeadsAndBodiesThatAreTooLarge) {
  options_.limits.body_bytes_max = 1000;
  options_.limits.headers_max = 20;
  Start(&echo_);
  HttpWire wire(server_->port());
  Http2Client client(&wire);
  const std::vector<HttpHeader> many(21, HttpHeader{"a", "b"});
  EXPECT_EQ(client.Await(client.Request("GET", "/", "", many)).status, 431);
  const std::vector<HttpHeader> large(2, {"a", std::string(35'000, 'a')});
  EXPECT_EQ(client.Await(client.Request("GET", "/", "", large)).status, 431);
  const int32_t stream = client.Request("POST", "/", std::string(500'000, 'x'));
  const Http2Answer& refused = client.Await(stream);
  EXPECT_EQ(refused.status, 413);
  EXPECT_EQ(refused.error, NGHTTP2_NO_ERROR);
  EXPECT_EQ(client.Await(client.Request("GET", "/")).status, 200);
}

TEST_F(Http2ServerTest, HoldsNoMoreBodiesThanItsBudget) {
  options_.limits.body_bytes_total_max = 1500;
  Start(&held_);
  HttpWire wire(server_->port());
  Http2Client client(&wire);
  client.Request("POST", "/", std::string(1000, 'x'));
  const int32_t second = client.Request("POST", "/", std::string(1000, 'x'));
  const Http2Answer& answer = client.Await(second);
  EXPECT_EQ(answer.status, 0);
  EXPECT_EQ(answer.error, NGHTTP2_REFUSED_STREAM);
}

TEST_F(Http2ServerTest, ASlowReaderOfOneStreamIsKnownAndHoldsUpNoOther) {
  Start(&held_);
  constexpr int32_t kWindow = 10'000;
  HttpWire wire(server_->port());
  Http2Client client(&wire, kWindow);
  const int32_t slow = client.Request("GET", "/slow");
  client.Flush();
  const auto exchange = held_.Take();
  const auto writer = std::make_shared<NotingWriter>();
  exchange->BeginStream({}, writer);
  exchange->Write(absl::Cord(std::string(kWindow + 1000, 's')));
  client.AwaitBody(slow, kWindow);
  EXPECT_FALSE(writer->has_written());
  const int32_t other = client.Request("GET", "/other");
  client.Flush();
  held_.Take()->Respond({.body = absl::Cord("other")});
  EXPECT_EQ(client.Await(other).body, "other");
  EXPECT_FALSE(writer->has_written());
  client.Consume(slow);
  client.AwaitBody(slow, kWindow + 1000);
  EXPECT_EQ(writer->AwaitWritten(), true);
  exchange->Write(absl::Cord());
  EXPECT_EQ(writer->AwaitWritten(), true);
  exchange->End();
  EXPECT_EQ(client.Await(slow).error, NGHTTP2_NO_ERROR);
  EXPECT_EQ(writer->closed(), 0);
}

TEST_F(Http2ServerTest, GivesUpAStreamWhoseReaderTakesNothing) {
  options_.limits.write_timeout = absl::Milliseconds(40);
  Start(&held_);
  HttpWire wire(server_->port());
  Http2Client client(&wire, /*window=*/1000);
  const int32_t stream = client.Request("GET", "/");
  client.Flush();
  held_.Take()->Respond({.body = absl::Cord(std::string(2000, 'x'))});
  EXPECT_EQ(client.Await(stream).error, NGHTTP2_CANCEL);
}

TEST_F(Http2ServerTest, AWriterLearnsThatItsStreamIsReset) {
  Start(&held_);
  HttpWire wire(server_->port());
  Http2Client client(&wire);
  const int32_t stream = client.Request("GET", "/");
  client.Flush();
  const auto exchange = held_.Take();
  const auto writer = std::make_shared<NotingWriter>();
  exchange->BeginStream({.body = absl::Cord("first")}, writer);
  client.AwaitBody(stream, 5);
  client.Reset(stream);
  client.Flush();
  EXPECT_TRUE(writer->AwaitClosed());
  exchange->Write(absl::Cord("late"));
  EXPECT_EQ(writer->AwaitWritten(), false);
  EXPECT_EQ(writer->closed(), 1);
}

TEST_F(Http2ServerTest, AnAbortedOrDroppedExchangeResetsItsStream) {
  Start(&held_);
  HttpWire wire(server_->port());
  Http2Client client(&wire);
  const int32_t aborted = client.Request("GET", "/1");
  client.Flush();
  const auto exchange = held_.Take();
  exchange->BeginStream({.body = absl::Cord("part")},
                        std::make_shared<NotingWriter>());
  client.AwaitBody(aborted, 4);
  exchange->Abort();
  EXPECT_EQ(client.Await(aborted).error, NGHTTP2_INTERNAL_ERROR);
  const int32_t dropped = client.Request("GET", "/2");
  client.Flush();
  held_.Take().reset();
  EXPECT_EQ(client.Await(dropped).error, NGHTTP2_INTERNAL_ERROR);
}

TEST_F(Http2ServerTest, CutsOffWhoResetsMoreThanItLetsBeAnswered) {
  options_.limits.unanswered_max = 20;
  Start(&held_);
  HttpWire wire(server_->port());
  Http2Client client(&wire);
  for (int i = 0; i < 30; ++i) {
    const int32_t stream = client.Request("GET", "/");
    client.Flush();
    client.Ping();  // Until it is served.
    client.AwaitPong();
    client.Reset(stream);
  }
  client.AwaitEnd();
  EXPECT_EQ(client.goaway(), NGHTTP2_ENHANCE_YOUR_CALM);
  EXPECT_EQ(held_.count(), 20);
}

TEST_F(Http2ServerTest, CutsOffARapidReset) {
  Start(&echo_);
  HttpWire wire(server_->port());
  Http2Client client(&wire);
  for (int i = 0; i < 5000 && !client.goaway().has_value(); ++i) {
    const int32_t stream = client.Request("GET", "/");
    if (!client.Flush()) break;
    client.Reset(stream);
  }
  client.AwaitEnd();
  EXPECT_NE(client.goaway().value_or(NGHTTP2_INTERNAL_ERROR), NGHTTP2_NO_ERROR);
}

TEST_F(Http2ServerTest, CutsOffWhoBeginsAndDoesNotGoOn) {
  options_.limits.header_timeout = absl::Milliseconds(40);
  options_.limits.body_timeout = absl::Milliseconds(40);
  Start(&echo_);
  HttpWire preface(server_->port());
  preface.Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  preface.ReceiveAll();  // Ends.
  HttpWire wire(server_->port());
  Http2Client client(&wire);
  const int32_t stream =
      client.Request("POST", "/", "", {{"content-length", "5"}});
  EXPECT_NE(client.Await(stream).error, NGHTTP2_NO_ERROR);
}

TEST_F(Http2ServerTest, EndsAnIdleConnectionInGoodOrder) {
  options_.limits.idle_timeout = absl::Milliseconds(40);
  Start(&echo_);
  HttpWire wire(server_->port());
  Http2Client client(&wire);
  EXPECT_EQ(client.Await(client.Request("GET", "/")).status, 200);
  client.AwaitEnd();
  EXPECT_EQ(client.goaway(), NGHTTP2_NO_ERROR);
}

}  // namespace
}  // namespace trireme
