// How the HTTP server starts, secures, drains and stops.
#include "server/http/http_server.h"

#include <string>

#include "gmock/gmock.h"
#include "tests/unit/http2_client.h"
#include "tests/unit/http_services.h"
#include "tests/unit/http_wire.h"

namespace trireme {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kGet[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

class HttpServerTest : public ::testing::Test {
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

TEST_F(HttpServerTest, SaysWhichAddressItCannotHave) {
  Start(&echo_);
  HttpServerOptions same;
  same.address = "127.0.0.1:" + std::to_string(server_->port());
  const absl::Status taken = HttpServer::Start(same, &echo_).status();
  EXPECT_TRUE(absl::IsUnavailable(taken)) << taken;
  EXPECT_THAT(std::string(taken.message()),
              HasSubstr("cannot listen on " + same.address));
  same.address = "nowhere";
  EXPECT_TRUE(
      absl::IsInvalidArgument(HttpServer::Start(same, &echo_).status()));
}

TEST_F(HttpServerTest, ChoosesTheVersionByAlpn) {
  options_.tls = MakeCertificate();
  Start(&echo_);
  HttpWire second(server_->port());
  ASSERT_TRUE(second.Secure("h2"));
  EXPECT_EQ(second.Alpn(), "h2");
  Http2Client client(&second);
  EXPECT_EQ(client.Await(client.Request("POST", "/", std::string(100'000, 'x')))
                .body.size(),
            100'007);
  HttpWire first(server_->port());
  ASSERT_TRUE(first.Secure("http/1.1"));
  EXPECT_EQ(first.Alpn(), "http/1.1");
  first.Send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(first.ReceiveAll(), EndsWith("GET / "));
}

TEST_F(HttpServerTest, WithoutAlpnThePrefaceTellsTheVersion) {
  options_.tls = MakeCertificate();
  Start(&echo_);
  HttpWire second(server_->port());
  ASSERT_TRUE(second.Secure(""));
  Http2Client client(&second);
  EXPECT_EQ(client.Await(client.Request("GET", "/")).body, "GET / ");
  HttpWire first(server_->port());
  ASSERT_TRUE(first.Secure(""));
  first.Send(kGet);
  EXPECT_THAT(first.ReceiveUntil("GET / "), EndsWith("GET / "));
}

TEST_F(HttpServerTest, ServesPlaintextBesideTlsOnlyIfTold) {
  options_.tls = MakeCertificate();
  Start(&echo_);
  {
    HttpWire wire(server_->port());
    wire.Send(kGet);
    EXPECT_THAT(wire.ReceiveUntil("GET / "), EndsWith("GET / "));
  }
  server_.reset();
  options_.plaintext = false;
  Start(&echo_);
  HttpWire wire(server_->port());
  wire.Send(kGet);
  EXPECT_THAT(wire.ReceiveAll(), IsEmpty());
}

TEST_F(HttpServerTest, AsksForACertificateOfItsAuthority) {
  const TlsContents own = MakeCertificate();
  const TlsContents foreign = MakeCertificate();
  options_.tls = own;
  options_.tls->ca = own.certificate;
  Start(&echo_);
  const auto answer = [this](const TlsContents* certificate) {
    HttpWire wire(server_->port());
    if (!wire.Secure("http/1.1", certificate)) return std::string();
    wire.Send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    return wire.ReceiveAll();
  };
  EXPECT_THAT(answer(&own), EndsWith("GET / "));
  EXPECT_THAT(answer(&foreign), IsEmpty());
  EXPECT_THAT(answer(nullptr), IsEmpty());
}

TEST_F(HttpServerTest, RefusesPemTextsThatAreNone) {
  options_.tls = MakeCertificate();
  options_.tls->key = "-----BEGIN nothing";
  const absl::Status refused = HttpServer::Start(options_, &echo_).status();
  EXPECT_TRUE(absl::IsInvalidArgument(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr("key"));
}

TEST_F(HttpServerTest, CutsOffAHandshakeThatDoesNotGoOn) {
  options_.tls = MakeCertificate();
  options_.limits.handshake_timeout = absl::Milliseconds(40);
  Start(&echo_);
  HttpWire silent(server_->port());
  EXPECT_THAT(silent.ReceiveAll(), IsEmpty());
  HttpWire begun(server_->port());
  begun.Send("\x16\x03\x01");
  EXPECT_THAT(begun.ReceiveAll(), IsEmpty());
}

TEST_F(HttpServerTest, ClosesConnectionsBeyondItsMaximum) {
  options_.limits.connections_max = 1;
  Start(&echo_);
  HttpWire first(server_->port());
  first.Send(kGet);
  first.ReceiveUntil("GET / ");
  HttpWire second(server_->port());
  EXPECT_THAT(second.ReceiveAll(), IsEmpty());
}

TEST_F(HttpServerTest, DrainingTellsPeersToGoElsewhere) {
  Start(&held_);
  HttpWire idle(server_->port());
  idle.Send(kGet);
  held_.Take()->Respond({});
  idle.ReceiveUntil("\r\n\r\n");
  HttpWire busy(server_->port());
  busy.Send(kGet);
  const auto first = held_.Take();
  HttpWire wire(server_->port());
  Http2Client client(&wire);
  const int32_t stream = client.Request("GET", "/");
  client.Flush();
  const auto second = held_.Take();

  server_->StartDraining();
  EXPECT_THAT(idle.ReceiveAll(), IsEmpty());
  first->Respond({.body = absl::Cord("first")});
  const std::string last = busy.ReceiveAll();
  EXPECT_THAT(last, HasSubstr("connection: close\r\n"));
  EXPECT_THAT(last, EndsWith("first"));
  second->Respond({.body = absl::Cord("second")});
  EXPECT_EQ(client.Await(stream).body, "second");
  client.AwaitEnd();
  EXPECT_EQ(client.goaway(), NGHTTP2_NO_ERROR);
}

TEST_F(HttpServerTest, StopLetsNoCallbackRunAndCallsStaySafe) {
  Start(&held_);
  HttpWire first(server_->port());
  first.Send(kGet);
  const auto stream = held_.Take();
  const auto writer = std::make_shared<NotingWriter>();
  stream->BeginStream({}, writer);
  HttpWire wire(server_->port());
  Http2Client client(&wire);
  client.Request("GET", "/");
  client.Flush();
  const auto unanswered = held_.Take();

  server_->Stop(absl::ZeroDuration());
  EXPECT_EQ(writer->closed(), 1);
  server_.reset();
  stream->Write(absl::Cord("late"));
  stream->End();
  unanswered->Respond({});
  unanswered->Post([] { FAIL() << "the loop has ended"; });
  EXPECT_FALSE(writer->has_written());
}

TEST_F(HttpServerTest, StopWaitsForWhatIsUnderWay) {
  options_.limits.linger_timeout = absl::Milliseconds(40);
  Start(&held_);
  HttpWire wire(server_->port());
  wire.Send(kGet);
  auto exchange = held_.Take();
  server_->StartDraining();
  exchange->Respond({.body = absl::Cord("done")});
  exchange.reset();
  server_->Stop(kPatience);
  EXPECT_THAT(wire.ReceiveAll(), EndsWith("done"));
}

}  // namespace
}  // namespace trireme
