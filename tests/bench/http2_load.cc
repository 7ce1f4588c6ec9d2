// By HTTP/2: a stream a loop, on few connections.
#include <nghttp2/nghttp2.h>

#include <boost/asio/detached.hpp>
#include <boost/asio/write.hpp>
#include <cstring>
#include <map>
#include <memory>
#include <utility>

#include "absl/strings/numbers.h"
#include "storage/check.h"
#include "tests/bench/http1_client.h"
#include "tests/bench/http_load.h"
#include "tests/bench/tally.h"

namespace trireme::bench {
namespace {

namespace asio = boost::asio;

constexpr uint32_t kWindowBytes = 64 << 20;
constexpr size_t kReadBytes = 256 << 10;

nghttp2_nv Field(absl::string_view name, absl::string_view value) {
  const auto bytes = [](absl::string_view text) {
    return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NONE};
}

void MustNghttp2(ssize_t result, const char* what) {
  CHECK(result >= 0,
        std::string(what) + ": " + nghttp2_strerror(static_cast<int>(result)));
}

// One connection and the loops on it. Owned by the load's thread.
class Http2Client {
 public:
  Http2Client(asio::io_context& context, const std::string& address,
              Tally& tally)
      : tally_(tally), socket_(ConnectTo(context, address)) {
    nghttp2_session_callbacks* callbacks = nullptr;
    MustNghttp2(nghttp2_session_callbacks_new(&callbacks), "callbacks");
    nghttp2_session_callbacks_set_on_header_callback(callbacks, OnHeader);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks,
                                                              OnData);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, OnClose);
    MustNghttp2(nghttp2_session_client_new(&session_, callbacks, this),
                "session");
    nghttp2_session_callbacks_del(callbacks);
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kWindowBytes}};
    MustNghttp2(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings,
                                        std::size(settings)),
                "settings");
    MustNghttp2(nghttp2_session_set_local_window_size(
                    session_, NGHTTP2_FLAG_NONE, 0, kWindowBytes),
                "window");
  }
  ~Http2Client() { nghttp2_session_del(session_); }
  Http2Client(const Http2Client&) = delete;
  Http2Client& operator=(const Http2Client&) = delete;

  void Add(const ClosedLoop& loop) {
    streams_.push_back(std::make_unique<Stream>(loop));
  }

  // Until the time is over and all is answered.
  Awaitable<void> Run() {
    for (const auto& stream : streams_) Next(*stream);
    std::string received(kReadBytes, '\0');
    while (open_ > 0) {
      const std::string sent = TakeFrames();
      ErrorCode error;
      co_await asio::async_write(socket_, asio::buffer(sent),
                                 asio::redirect_error(kAwait, error));
      CHECK(!error, "the server has closed a connection");
      const size_t bytes = co_await socket_.async_read_some(
          asio::buffer(received), asio::redirect_error(kAwait, error));
      CHECK(!error, "the server has closed a connection");
      MustNghttp2(nghttp2_session_mem_recv(
                      session_,
                      reinterpret_cast<const uint8_t*>(received.data()), bytes),
                  "frames");
    }
  }

 private:
  struct Stream {
    explicit Stream(ClosedLoop loop) : loop(std::move(loop)) {}
    const ClosedLoop loop;
    const KinesisRequest* request = nullptr;
    size_t sent = 0;  // Of its body.
    int64_t sent_at = 0;
    unsigned status = 0;
    std::string answer;
  };

  std::string TakeFrames() {
    std::string frames;
    const uint8_t* bytes = nullptr;
    for (;;) {
      const ssize_t size = nghttp2_session_mem_send(session_, &bytes);
      MustNghttp2(size, "send");
      if (size == 0) return frames;
      frames.append(reinterpret_cast<const char*>(bytes),
                    static_cast<size_t>(size));
    }
  }

  void Next(Stream& stream) {
    if (tally_.over()) return;
    stream.request = &stream.loop.next();
    stream.sent = 0;
    stream.status = 0;
    stream.answer.clear();
    const auto fields = stream.request->HeaderFields();
    std::vector<nghttp2_nv> all = {
        Field(":method", "POST"), Field(":scheme", "http"),
        Field(":authority", "kinesis"), Field(":path", "/")};
    for (const auto& [name, value] : fields) all.push_back(Field(name, value));
    nghttp2_data_provider body;
    body.source.ptr = &stream;
    body.read_callback = ReadBody;
    stream.sent_at = SteadyNow();
    MustNghttp2(nghttp2_submit_request(session_, nullptr, all.data(),
                                       all.size(), &body, &stream),
                "request");
    ++open_;
  }

  static Stream* StreamOf(nghttp2_session* session, int32_t id) {
    return static_cast<Stream*>(
        nghttp2_session_get_stream_user_data(session, id));
  }

  static ssize_t ReadBody(nghttp2_session*, int32_t, uint8_t* to, size_t size,
                          uint32_t* flags, nghttp2_data_source* source, void*) {
    auto& stream = *static_cast<Stream*>(source->ptr);
    const std::string& body = stream.request->body;
    const size_t bytes = std::min(size, body.size() - stream.sent);
    std::memcpy(to, body.data() + stream.sent, bytes);
    stream.sent += bytes;
    if (stream.sent == body.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(bytes);
  }

  static int OnHeader(nghttp2_session* session, const nghttp2_frame* frame,
                      const uint8_t* name, size_t name_size,
                      const uint8_t* value, size_t value_size, uint8_t, void*) {
    const absl::string_view field(reinterpret_cast<const char*>(name),
                                  name_size);
    if (field != ":status") return 0;
    uint32_t status = 0;
    const absl::string_view text(reinterpret_cast<const char*>(value),
                                 value_size);
    CHECK(absl::SimpleAtoi(text, &status), "a status that is no number");
    StreamOf(session, frame->hd.stream_id)->status = status;
    return 0;
  }

  static int OnData(nghttp2_session* session, uint8_t, int32_t id,
                    const uint8_t* bytes, size_t size, void*) {
    StreamOf(session, id)
        ->answer.append(reinterpret_cast<const char*>(bytes), size);
    return 0;
  }

  static int OnClose(nghttp2_session* session, int32_t id, uint32_t,
                     void* client) {
    auto& self = *static_cast<Http2Client*>(client);
    Stream& stream = *StreamOf(session, id);
    const Counted counted = stream.loop.count(stream.status, stream.answer);
    self.tally_.Add(stream.sent_at, counted.records, counted.failed);
    --self.open_;
    self.Next(stream);
    return 0;
  }

  Tally& tally_;
  TcpSocket socket_;
  nghttp2_session* session_ = nullptr;
  std::vector<std::unique_ptr<Stream>> streams_;
  size_t open_ = 0;  // Requests that are not answered.
};

}  // namespace

LoadResult RunHttp2(const std::string& address, int connections,
                    const std::vector<ClosedLoop>& loops, LoadTimes times) {
  asio::io_context context(1);
  Tally tally(times);
  std::vector<std::unique_ptr<Http2Client>> clients;
  for (int i = 0; i < connections; ++i) {
    clients.push_back(std::make_unique<Http2Client>(context, address, tally));
  }
  for (size_t i = 0; i < loops.size(); ++i) {
    clients[i % clients.size()]->Add(loops[i]);
  }
  for (const auto& client : clients) {
    asio::co_spawn(context.get_executor(), client->Run(), asio::detached);
  }
  context.run();
  return tally.Take();
}

}  // namespace trireme::bench
