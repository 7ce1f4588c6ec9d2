// Bytes that come from anywhere, sent to an HTTP server over a real connection:
// it answers or closes, and each connection ends soon after its peer has ended
// its own side. An input that begins with a capital letter is sent as it is;
// any other is choices that make HTTP/1 requests or HTTP/2 frames, mostly
// valid.
#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "server/http/http_server.h"
#include "storage/check.h"
#include "tests/fuzz/input.h"
#include "tests/unit/http_wire.h"

namespace trireme {
namespace {

// Writes three pieces.
class ShortStream : public HttpStreamWriter,
                    public std::enable_shared_from_this<ShortStream> {
 public:
  explicit ShortStream(std::shared_ptr<HttpExchange> exchange)
      : exchange_(std::move(exchange)) {}

  void Begin() {
    exchange_->BeginStream({.body = absl::Cord("begin")}, shared_from_this());
    exchange_->Write(absl::Cord("piece"));
  }
  void OnWritten(bool ok) override {
    if (ok && ++pieces_ < 3) {
      exchange_->Write(absl::Cord(std::string(pieces_ * 9000, 'p')));
    } else {
      exchange_->End();
    }
  }
  void OnClosed() override { CHECK(!std::exchange(closed_, true)); }

 private:
  const std::shared_ptr<HttpExchange> exchange_;
  int pieces_ = 0;
  bool closed_ = false;
};

// Answers in all the ways there are, by the length of the target.
class AnyService : public HttpService {
 public:
  void Serve(std::shared_ptr<HttpExchange> exchange) override {
    const HttpRequest& request = exchange->request();
    CHECK(!request.method.empty());
    switch (request.target.size() % 5) {
      case 0:
        return exchange->Abort();
      case 1:
        return exchange->Respond({.body = absl::Cord(request.body)});
      case 2:
        return std::make_shared<ShortStream>(std::move(exchange))->Begin();
      case 3: {
        HttpExchange& posted = *exchange;
        return posted.Post([exchange = std::move(exchange)] {
          exchange->Respond({.status = 204, .headers = {{"A", "b\r\nc"}}});
        });
      }
      default:
        return;  // Dropped.
    }
  }
};

const HttpServer& Server() {
  static AnyService* const service = new AnyService();
  static const HttpServer* const server = [] {
    HttpServerOptions options;
    options.address = "127.0.0.1:0";
    options.threads = 1;
    options.limits.body_bytes_max = 20'000;
    options.limits.streams_max = 8;
    options.limits.unanswered_max = 16;
    options.limits.linger_timeout = absl::Milliseconds(200);
    auto started = HttpServer::Start(options, service);
    CHECK(started.ok(), started.status().ToString());
    return started->release();
  }();
  return *server;
}

std::string Http1Request(Input& input) {
  static constexpr const char* kMethods[] = {"GET", "POST", "HEAD", "OPTIONS"};
  static constexpr const char* kVersions[] = {"HTTP/1.1", "HTTP/1.0"};
  static constexpr const char* kHeaders[] = {
      "Connection: close\r\n", "Connection: keep-alive\r\n",
      "Expect: 100-continue\r\n", "A: b\r\n",
      "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
      "HTTP2-Settings: AAMAAABk\r\n"};
  std::string text = absl::StrCat(
      kMethods[input.Below(4)], " /", std::string(input.Below(5), 't'), " ",
      kVersions[input.Mostly(8) ? 0 : 1], "\r\nHost: h\r\n");
  while (!input.Mostly(3)) text += kHeaders[input.Below(5)];
  const std::string body(input.Below(300) * (input.Mostly(20) ? 1 : 100), 'b');
  if (input.Mostly(3)) {
    absl::StrAppend(&text, "Content-Length: ", body.size(), "\r\n\r\n", body);
  } else {
    absl::StrAppend(&text, "Transfer-Encoding: chunked\r\n\r\n");
    if (!body.empty()) {
      absl::StrAppend(&text, absl::Hex(body.size()), "\r\n", body, "\r\n");
    }
    absl::StrAppend(&text, "0\r\n\r\n");
  }
  return text;
}

std::string Http2Frame(uint8_t type, uint8_t flags, uint32_t stream,
                       const std::string& payload) {
  std::string frame;
  for (const int shift : {16, 8, 0}) {
    frame += static_cast<char>(payload.size() >> shift);
  }
  frame += static_cast<char>(type);
  frame += static_cast<char>(flags);
  for (const int shift : {24, 16, 8, 0}) {
    frame += static_cast<char>(stream >> shift);
  }
  return frame + payload;
}

// HPACK: GET or POST, http, a path, an authority; at times something else.
std::string Http2Head(Input& input) {
  std::string head = input.Below(2) == 0 ? "\x82\x86" : "\x83\x86";
  const size_t path = input.Below(5) + 1;
  absl::StrAppend(&head, "\x04", std::string(1, static_cast<char>(path)), "/",
                  std::string(path - 1, 't'), "\x41\x01h");
  if (!input.Mostly(6)) head += input.Bytes(input.Below(20));
  return head;
}

std::string AnyHttp2Frame(Input& input) {
  const uint32_t stream = 2 * static_cast<uint32_t>(input.Below(8)) + 1;
  const uint8_t ends = input.Below(2) == 0 ? 1 : 0;
  switch (input.Below(10)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return Http2Frame(1, (input.Mostly(8) ? 4 : 0) | ends, stream,
                        Http2Head(input));
    case 4:
    case 5:
      return Http2Frame(0, ends, stream, std::string(input.Below(9000), 'd'));
    case 6:
      return Http2Frame(3, 0, stream, std::string("\0\0\0\x08", 4));
    case 7:
      return Http2Frame(8, 0, input.Below(2) == 0 ? 0 : stream,
                        std::string("\0\0\x40\0", 4));
    case 8:
      return Http2Frame(6, 0, 0, "pingping");
    default:
      return Http2Frame(static_cast<uint8_t>(input.Below(12)),
                        static_cast<uint8_t>(input.Byte()), stream,
                        input.Bytes(input.Below(40)));
  }
}

std::string Bytes(Input& input) {
  std::string bytes;
  if (input.Below(2) == 0) {
    while (!input.empty()) bytes += Http1Request(input);
  } else {
    bytes = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + Http2Frame(4, 0, 0, "");
    while (!input.empty()) bytes += AnyHttp2Frame(input);
  }
  // At times a byte of it is another.
  if (bytes.size() > 40 && bytes.size() % 3 == 0) {
    bytes[(bytes.size() * 31 + 40) % bytes.size()] ^= 0x15;
  }
  return bytes;
}

void Run(const uint8_t* data, size_t size) {
  Input input(data, size);
  const bool as_it_is = size > 0 && data[0] >= 'A' && data[0] <= 'Z';
  const std::string bytes = as_it_is ? input.Rest() : Bytes(input);
  HttpWire wire(Server().port());
  // In two pieces: the server sees the first alone, or both.
  wire.Send(absl::string_view(bytes).substr(0, bytes.size() / 2));
  wire.Send(absl::string_view(bytes).substr(bytes.size() / 2));
  wire.EndOutput();
  wire.ReceiveAll();
  CHECK(!::testing::Test::HasFailure(), "the connection does not end");
  // The server serves on.
  HttpWire next(Server().port());
  next.Send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  CHECK(absl::StartsWith(next.ReceiveAll(), "HTTP/1.1 200 OK\r\n"));
}

}  // namespace
}  // namespace trireme

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  trireme::Run(data, size);
  return 0;
}
