// HTTP/1 as its clients see it, over real sockets.
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "server/http/http_server.h"
#include "tests/unit/http_services.h"
#include "tests/unit/http_wire.h"

namespace trireme {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class Http1ServerTest : public ::testing::Test {
 protected:
  void Start(HttpService* service) {
    options_.address = "127.0.0.1:0";
    auto server = HttpServer::Start(options_, service);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  // The head of the answer, its body being as long as it says.
  static std::string Answer(HttpWire& wire) {
    std::string answer = wire.ReceiveUntil("\r\n\r\n");
    const size_t length = answer.find("content-length: ");
    if (length != std::string::npos) {
      answer += wire.ReceiveBytes(
          static_cast<size_t>(std::atoi(answer.c_str() + length + 16)));
    }
    return answer;
  }
  // The whole connection of one request that ends it.
  std::string Ask(const std::string& request) {
    HttpWire wire(server_->port());
    wire.Send(request);
    return wire.ReceiveAll();
  }

  HttpServerOptions options_;
  EchoService echo_;
  HeldService held_;
  std::unique_ptr<HttpServer> server_;  // Ends before the services.
};

TEST_F(Http1ServerTest, ServesOneRequestAfterTheOtherOnAConnection) {
  Start(&echo_);
  HttpWire wire(server_->port());
  for (int i = 0; i < 3; ++i) {
    wire.Send(absl::StrCat("POST /a?b=", i,
                           " HTTP/1.1\r\nHost: h\r\n"
                           "Content-Length: 4\r\n\r\nbody"));
    const std::string answer = Answer(wire);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\nX-Host: h\r\ndate: "));
    EXPECT_THAT(answer, HasSubstr("\r\ncontent-length: 16\r\n"));
    EXPECT_THAT(answer, EndsWith(absl::StrCat("POST /a?b=", i, " body")));
  }
}

TEST_F(Http1ServerTest, AnswersPipelinedRequestsInOrder) {
  Start(&echo_);
  HttpWire wire(server_->port());
  wire.Send(
      "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n"
      "POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx"
      "GET /3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(Answer(wire), EndsWith("GET /1 "));
  EXPECT_THAT(Answer(wire), EndsWith("POST /2 x"));
  const std::string last = wire.ReceiveAll();
  EXPECT_THAT(last, HasSubstr("connection: close\r\n"));
  EXPECT_THAT(last, EndsWith("GET /3 "));
}

TEST_F(Http1ServerTest, ReadsBodiesInChunks) {
  Start(&echo_);
  HttpWire wire(server_->port());
  wire.Send(
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3");
  wire.Send(";ext=1\r\nabc\r\n2\r");
  wire.Send("\nde\r\n0\r\nTrailer: t\r\n\r\n");
  EXPECT_THAT(Answer(wire), EndsWith("POST / abcde"));
  wire.Send("GET /next HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(Answer(wire), EndsWith("GET /next "));
}

TEST_F(Http1ServerTest, AsksForABodyThatIsHeldBack) {
  Start(&echo_);
  HttpWire wire(server_->port());
  wire.Send(
      "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
      "Content-Length: 2\r\n\r\n");
  EXPECT_EQ(wire.ReceiveUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  wire.Send("ok");
  EXPECT_THAT(Answer(wire), EndsWith("POST / ok"));
}

TEST_F(Http1ServerTest, AnswersHeadWithoutABody) {
  Start(&echo_);
  HttpWire wire(server_->port());
  wire.Send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(wire.ReceiveUntil("\r\n\r\n"),
              HasSubstr("content-length: 7\r\n"));
  wire.Send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(wire.ReceiveAll(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(Http1ServerTest, ClosesAfterHttp10UnlessAskedToKeepAlive) {
  Start(&echo_);
  EXPECT_THAT(Ask("GET / HTTP/1.0\r\n\r\n"), HasSubstr("connection: close"));
  HttpWire wire(server_->port());
  wire.Send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(Answer(wire), HasSubstr("connection: keep-alive\r\n"));
  wire.Send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(wire.ReceiveAll(), EndsWith("GET / "));
}

TEST_F(Http1ServerTest, RefusesWhatIsMalformed) {
  Start(&echo_);
  const std::string post = "POST / HTTP/1.1\r\nHost: h\r\n";
  const std::string both =
      "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n";
  for (const std::string& request : {
           std::string("nonsense\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\n\r\n"),  // No host.
           std::string("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
           post + both + "\r\n0\r\n\r\n",
           post +
               "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n",
           post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
           post + "Content-Length: -1\r\n\r\n",
           post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
           std::string("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
       }) {
    EXPECT_THAT(Ask(request), StartsWith("HTTP/1.1 400 ")) << request;
  }
  for (const char* coding : {"gzip", "gzip, chunked", "chunked, chunked"}) {
    EXPECT_THAT(
        Ask(absl::StrCat(post, "Transfer-Encoding: ", coding, "\r\n\r\n")),
        StartsWith("HTTP/1.1 501 "))
        << coding;
  }
}

TEST_F(Http1ServerTest, RefusesHeadsAndBodiesThatAreTooLarge) {
  options_.limits.body_bytes_max = 1000;
  Start(&echo_);
  const std::string get = "GET / HTTP/1.1\r\nHost: h\r\n";
  EXPECT_THAT(Ask(absl::StrCat(get, "A: ", std::string(70'000, 'a'))),
              StartsWith("HTTP/1.1 431 "));
  std::string many = get;
  for (int i = 0; i < 100; ++i) absl::StrAppend(&many, "A: b\r\n");
  EXPECT_THAT(Ask(many + "\r\n"), StartsWith("HTTP/1.1 431 "));
  const std::string post = "POST / HTTP/1.1\r\nHost: h\r\n";
  // Before it is sent, also to those who wait for the word to send it.
  EXPECT_THAT(
      Ask(post + "Expect: 100-continue\r\nContent-Length: 1001\r\n\r\n"),
      StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(Ask(post + "Transfer-Encoding: chunked\r\n\r\n3e9\r\n"),
              StartsWith("HTTP/1.1 413 "));
  // All of it is sent, and still the answer can be read.
  EXPECT_THAT(Ask(absl::StrCat(post, "Content-Length: 1000000\r\n\r\n",
                               std::string(1'000'000, 'x'))),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(
      Ask(absl::StrCat(post, "Connection: close\r\n",
                       "Content-Length: 1000\r\n\r\n", std::string(1000, 'x'))),
      StartsWith("HTTP/1.1 200 "));
}

TEST_F(Http1ServerTest, HoldsNoMoreBodiesThanItsBudget) {
  options_.limits.body_bytes_total_max = 1500;
  Start(&held_);
  const std::string request = absl::StrCat(
      "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
      "Content-Length: 1000\r\n\r\n",
      std::string(1000, 'x'));
  HttpWire first(server_->port());
  first.Send(request);
  std::shared_ptr<HttpExchange> exchange = held_.Take();
  EXPECT_THAT(Ask(request), StartsWith("HTTP/1.1 503 "));
  exchange->Respond({});
  EXPECT_THAT(first.ReceiveAll(), StartsWith("HTTP/1.1 200 "));
  exchange.reset();
  HttpWire second(server_->port());
  second.Send(request);
  exchange = held_.Take();
  EXPECT_EQ(exchange->request().body.size(), 1000);
  exchange->Respond({});
}

TEST_F(Http1ServerTest, SendsEachPieceOfAStreamAsItIsWritten) {
  Start(&held_);
  HttpWire wire(server_->port());
  wire.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto exchange = held_.Take();
  const auto writer = std::make_shared<NotingWriter>();
  exchange->BeginStream(
      {.headers = {{"Kind", "stream"}}, .body = absl::Cord("first")}, writer);
  const std::string head = wire.ReceiveUntil("\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("Kind: stream\r\n"));
  EXPECT_THAT(head, HasSubstr("transfer-encoding: chunked\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("content-length")));
  EXPECT_EQ(wire.ReceiveUntil("first\r\n"), "5\r\nfirst\r\n");
  for (const std::string piece : {"second", "third, of sixteen"}) {
    exchange->Write(absl::Cord(piece));
    EXPECT_EQ(writer->AwaitWritten(), true);
    EXPECT_EQ(wire.ReceiveUntil(piece + "\r\n"),
              absl::StrCat(absl::Hex(piece.size()), "\r\n", piece, "\r\n"));
  }
  exchange->Write(absl::Cord());  // Ends nothing.
  EXPECT_EQ(writer->AwaitWritten(), true);
  exchange->End();
  EXPECT_EQ(wire.ReceiveUntil("0\r\n\r\n"), "0\r\n\r\n");
  wire.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  held_.Take()->Respond({.body = absl::Cord("again")});
  EXPECT_THAT(Answer(wire), EndsWith("again"));
  EXPECT_EQ(writer->closed(), 0);
}

TEST_F(Http1ServerTest, AWriterLearnsThatItsReaderIsSlow) {
  Start(&held_);
  HttpWire wire(server_->port(), /*receive_buffer=*/4096);
  wire.Send("GET / HTTP/1.0\r\n\r\n");
  const auto exchange = held_.Take();
  const auto writer = std::make_shared<NotingWriter>();
  exchange->BeginStream({}, writer);
  constexpr size_t kBytes = 64 << 20;  // More than the kernel keeps.
  exchange->Write(absl::Cord(std::string(kBytes, 'x')));
  EXPECT_THAT(wire.ReceiveUntil("\r\n\r\n"), Not(HasSubstr("chunked")));
  wire.ReceiveBytes(1 << 20);
  EXPECT_FALSE(writer->has_written());
  wire.ReceiveBytes(kBytes - (1 << 20));
  EXPECT_EQ(writer->AwaitWritten(), true);
  exchange->End();
  EXPECT_THAT(wire.ReceiveAll(), IsEmpty());
}

TEST_F(Http1ServerTest, AWriterLearnsThatItsReaderIsGone) {
  Start(&held_);
  HttpWire wire(server_->port());
  wire.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto exchange = held_.Take();
  const auto writer = std::make_shared<NotingWriter>();
  exchange->BeginStream({}, writer);
  wire.ReceiveUntil("\r\n\r\n");
  wire.Reset();
  EXPECT_TRUE(writer->AwaitClosed());
  exchange->Write(absl::Cord("late"));
  EXPECT_EQ(writer->AwaitWritten(), false);
  exchange->End();
  EXPECT_EQ(writer->closed(), 1);
}

TEST_F(Http1ServerTest, AnAbortedStreamIsSeenToBeIncomplete) {
  Start(&held_);
  HttpWire wire(server_->port());
  wire.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto exchange = held_.Take();
  exchange->BeginStream({.body = absl::Cord("part")},
                        std::make_shared<NotingWriter>());
  exchange->Abort();
  EXPECT_THAT(wire.ReceiveAll(), Not(HasSubstr("0\r\n\r\n")));
}

TEST_F(Http1ServerTest, WhatComesAfterAnAbortIsForgotten) {
  Start(&held_);
  HttpWire wire(server_->port(), /*receive_buffer=*/4096);
  wire.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto exchange = held_.Take();
  const auto writer = std::make_shared<NotingWriter>();
  exchange->BeginStream({}, writer);
  wire.ReceiveUntil("\r\n\r\n");
  // More than the kernel keeps, and nobody takes it.
  exchange->Write(absl::Cord(std::string(64 << 20, 'x')));
  exchange->Abort();
  EXPECT_EQ(writer->AwaitWritten(), false);
  exchange->Write(absl::Cord("late"));
  EXPECT_EQ(writer->AwaitWritten(), false);
  exchange->End();
}

TEST_F(Http1ServerTest, AnExchangeThatIsDroppedIsAnError) {
  Start(&held_);
  HttpWire wire(server_->port());
  wire.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  held_.Take().reset();
  EXPECT_THAT(wire.ReceiveAll(), StartsWith("HTTP/1.1 500 "));
}

TEST_F(Http1ServerTest, AnswersAPeerThatHasEndedItsSide) {
  Start(&held_);
  HttpWire wire(server_->port());
  wire.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  wire.EndOutput();
  held_.Take()->Respond({.body = absl::Cord("still")});
  EXPECT_THAT(wire.ReceiveAll(), EndsWith("still"));
}

TEST_F(Http1ServerTest, CutsOffSlowHeadersAndBodiesAndIdleConnections) {
  options_.limits.header_timeout = absl::Milliseconds(40);
  options_.limits.body_timeout = absl::Milliseconds(40);
  options_.limits.idle_timeout = absl::Milliseconds(40);
  Start(&echo_);
  EXPECT_THAT(Ask("GET / HTTP/1.1\r\nHost:"), IsEmpty());
  EXPECT_THAT(Ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nx"),
              IsEmpty());
  EXPECT_THAT(Ask(""), IsEmpty());
  EXPECT_THAT(Ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), EndsWith("GET / "));
}

TEST_F(Http1ServerTest, CutsOffAPeerThatTakesNothing) {
  options_.limits.write_timeout = absl::Milliseconds(40);
  Start(&held_);
  HttpWire wire(server_->port(), /*receive_buffer=*/4096);
  wire.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto exchange = held_.Take();
  const auto writer = std::make_shared<NotingWriter>();
  exchange->BeginStream({}, writer);
  exchange->Write(absl::Cord(std::string(64 << 20, 'x')));
  EXPECT_EQ(writer->AwaitWritten(), false);
  EXPECT_TRUE(writer->AwaitClosed());
}

}  // namespace
}  // namespace trireme
