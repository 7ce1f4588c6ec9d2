#include "tests/unit/http2_client.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "storage/check.h"

namespace trireme {
namespace {

nghttp2_nv Pair(const std::string& name, const std::string& value) {
  return {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())),
          name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

}  // namespace

struct Http2Client::Callbacks {
  static Http2Client* Client(void* self) {
    return static_cast<Http2Client*>(self);
  }

  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame,
                      const uint8_t* name, size_t name_size,
                      const uint8_t* value, size_t value_size, uint8_t,
                      void* self) {
    Http2Answer& answer = Client(self)->answers_[frame->hd.stream_id];
    const HttpHeader header = {
        std::string(reinterpret_cast<const char*>(name), name_size),
        std::string(reinterpret_cast<const char*>(value), value_size)};
    if (header.name == ":status") {
      answer.status = std::atoi(header.value.c_str());
    } else {
      answer.headers.push_back(header);
    }
    return 0;
  }

  static int OnData(nghttp2_session*, uint8_t, int32_t stream,
                    const uint8_t* data, size_t size, void* self) {
    Client(self)->answers_[stream].body.append(
        reinterpret_cast<const char*>(data), size);
    Client(self)->unconsumed_[stream] += size;
    if (Client(self)->consumes_) Client(self)->Consume(stream);
    return 0;
  }

  static int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    if (frame->hd.type == NGHTTP2_GOAWAY) {
      Client(self)->goaway_ = frame->goaway.error_code;
    }
    if (frame->hd.type == NGHTTP2_PING &&
        (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) {
      Client(self)->ponged_ = true;
    }
    return 0;
  }

  static int OnClose(nghttp2_session*, int32_t stream, uint32_t error,
                     void* self) {
    Http2Answer& answer = Client(self)->answers_[stream];
    answer.closed = true;
    answer.error = error;
    return 0;
  }

  static ssize_t ReadBody(nghttp2_session*, int32_t stream, uint8_t* to,
                          size_t size, uint32_t* flags, nghttp2_data_source*,
                          void* self) {
    std::string& body = Client(self)->bodies_[stream];
    const size_t taken = std::min(size, body.size());
    std::memcpy(to, body.data(), taken);
    body.erase(0, taken);
    if (body.empty()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(taken);
  }
};

Http2Client::Http2Client(HttpWire* wire, int32_t window)
    : wire_(wire), consumes_(window == 0) {
  nghttp2_session_callbacks* callbacks = nullptr;
  CHECK(nghttp2_session_callbacks_new(&callbacks) == 0);
  nghttp2_session_callbacks_set_on_header_callback(callbacks,
                                                   Callbacks::OnHeader);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks,
                                                            Callbacks::OnData);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks,
                                                       Callbacks::OnFrame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks,
                                                         Callbacks::OnClose);
  nghttp2_option* options = nullptr;
  CHECK(nghttp2_option_new(&options) == 0);
  nghttp2_option_set_no_auto_window_update(options, 1);
  nghttp2_option_set_max_send_header_block_length(options, 1 << 20);
  CHECK(nghttp2_session_client_new2(&session_, callbacks, this, options) == 0);
  nghttp2_option_del(options);
  nghttp2_session_callbacks_del(callbacks);
  const nghttp2_settings_entry entry = {
      NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE,
      window == 0 ? 1u << 20 : static_cast<uint32_t>(window)};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, &entry, 1);
}

Http2Client::~Http2Client() { nghttp2_session_del(session_); }

void Http2Client::BeginUpgraded(const std::string& settings) {
  CHECK(nghttp2_session_upgrade2(
            session_, reinterpret_cast<const uint8_t*>(settings.data()),
            settings.size(), 0, nullptr) == 0);
}

int32_t Http2Client::Request(const std::string& method, const std::string& path,
                             const std::string& body,
                             const std::vector<HttpHeader>& headers) {
  const std::string length = absl::StrCat(body.size());
  std::vector<HttpHeader> all = {{":method", method},
                                 {":scheme", "http"},
                                 {":authority", "localhost"},
                                 {":path", path}};
  all.insert(all.end(), headers.begin(), headers.end());
  if (!body.empty()) all.push_back({"content-length", length});
  std::vector<nghttp2_nv> pairs;
  for (const HttpHeader& h : all) pairs.push_back(Pair(h.name, h.value));
  nghttp2_data_provider provider = {};
  provider.read_callback = Callbacks::ReadBody;
  const int32_t stream =
      nghttp2_submit_request(session_, nullptr, pairs.data(), pairs.size(),
                             body.empty() ? nullptr : &provider, nullptr);
  CHECK(stream > 0);
  bodies_[stream] = body;
  return stream;
}

void Http2Client::Reset(int32_t stream) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream,
                            NGHTTP2_CANCEL);
}

void Http2Client::Ping() {
  ponged_ = false;
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
}

void Http2Client::Consume(int32_t stream) {
  nghttp2_session_consume(session_, stream, unconsumed_[stream]);
  unconsumed_[stream] = 0;
}

bool Http2Client::Flush() {
  std::string all;
  const uint8_t* bytes = nullptr;
  while (true) {
    const ssize_t count = nghttp2_session_mem_send(session_, &bytes);
    if (count <= 0) break;
    all.append(reinterpret_cast<const char*>(bytes),
               static_cast<size_t>(count));
  }
  return wire_->Send(all);
}

bool Http2Client::ReceiveSome() {
  Flush();
  const std::string bytes = wire_->Receive();
  if (bytes.empty()) return false;
  return nghttp2_session_mem_recv(
             session_, reinterpret_cast<const uint8_t*>(bytes.data()),
             bytes.size()) >= 0;
}

const Http2Answer& Http2Client::Await(int32_t stream) {
  while (!answers_[stream].closed && ReceiveSome()) {
  }
  return answers_[stream];
}

const Http2Answer& Http2Client::AwaitBody(int32_t stream, size_t bytes) {
  while (answers_[stream].body.size() < bytes && ReceiveSome()) {
  }
  return answers_[stream];
}

void Http2Client::AwaitPong() {
  while (!ponged_ && ReceiveSome()) {
  }
}

void Http2Client::AwaitEnd() {
  while (ReceiveSome()) {
  }
}

}  // namespace trireme
