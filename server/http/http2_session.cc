#include "server/http/http2_session.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/http/http1_head.h"
#include "server/http/http2_callbacks.h"
#include "storage/check.h"

namespace trireme {
namespace {

constexpr uint32_t kStreamWindowBytes = 1u << 20;
constexpr int32_t kConnectionWindowBytes = 16 << 20;
// Acknowledgements of SETTINGS and PING waiting for the peer to read them.
constexpr size_t kAcksMax = 500;
// RST_STREAM of the peer: at once, and each second.
constexpr uint64_t kResetsBurst = 1000;
constexpr uint64_t kResetsPerSecond = 100;
constexpr size_t kContinuationsMax = 8;
// Frames waiting to be sent before we read on.
constexpr size_t kFramesWaitingMax = 1000;

SteadyTime Now() { return std::chrono::steady_clock::now(); }

bool Passed(SteadyTime since, absl::Duration timeout, SteadyTime now) {
  return now - since > absl::ToChronoNanoseconds(timeout);
}

// Refers to both texts.
nghttp2_nv Pair(absl::string_view name, absl::string_view value) {
  return {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())),
          name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

nghttp2_option* Options() {
  nghttp2_option* options = nullptr;
  CHECK(nghttp2_option_new(&options) == 0);
  nghttp2_option_set_no_closed_streams(options, 1);
  nghttp2_option_set_max_outbound_ack(options, kAcksMax);
  nghttp2_option_set_stream_reset_rate_limit(options, kResetsBurst,
                                             kResetsPerSecond);
  nghttp2_option_set_max_continuations(options, kContinuationsMax);
  return options;
}

}  // namespace

Http2Session::Http2Session(HttpContext* context, HttpLoop* loop)
    : context_(context), loop_(loop), idle_since_(Now()) {
  nghttp2_session_callbacks* const callbacks = Callbacks::New();
  nghttp2_option* const options = Options();
  CHECK(nghttp2_session_server_new2(&session_, callbacks, this, options) == 0);
  nghttp2_option_del(options);
  nghttp2_session_callbacks_del(callbacks);

  const HttpLimits& limits = context->limits;
  const std::array<nghttp2_settings_entry, 3> settings = {{
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.streams_max},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindowBytes},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
       static_cast<uint32_t>(limits.header_bytes_max)},
  }};
  CHECK(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(),
                                settings.size()) == 0);
  CHECK(nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0,
                                              kConnectionWindowBytes) == 0);
}

Http2Session::~Http2Session() { nghttp2_session_del(session_); }

absl::Status Http2Session::Upgrade(absl::string_view settings,
                                   HttpRequest request, BodyCharge charge) {
  const bool is_head_request = request.method == "HEAD";
  if (nghttp2_session_upgrade2(
          session_, reinterpret_cast<const uint8_t*>(settings.data()),
          settings.size(), is_head_request, nullptr) != 0) {
    return absl::InvalidArgumentError("HTTP2-Settings cannot be read");
  }
  Http2Stream* const stream = Open(1);
  stream->request = std::move(request);
  stream->charge = std::move(charge);
  stream->has_head = true;
  stream->is_head_request = is_head_request;
  OnRequestComplete(stream);
  return absl::OkStatus();
}

absl::Status Http2Session::Receive(absl::string_view bytes) {
  const ssize_t used = nghttp2_session_mem_recv(
      session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  CloseEnded();
  if (used >= 0) return absl::OkStatus();
  const int error = static_cast<int>(used);
  if (error != NGHTTP2_ERR_FLOODED) {
    nghttp2_session_terminate_session(session_, NGHTTP2_PROTOCOL_ERROR);
  }
  return absl::InvalidArgumentError(nghttp2_strerror(error));
}

Http2Session::Streams Http2Session::TakeReady() {
  Streams ready;
  ready.swap(ready_);
  // Not those that the peer has already given up.
  std::erase_if(ready, [this](const auto& stream) {
    return Find(stream->id) == nullptr;
  });
  return ready;
}

Http2Stream* Http2Session::Find(int32_t id) {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second.get();
}

Http2Stream* Http2Session::Open(int32_t id) {
  auto stream =
      std::make_shared<Http2Stream>(id, BodyCharge(context_->body_budget));
  stream->begun = stream->progress = Now();
  return (streams_[id] = std::move(stream)).get();
}

void Http2Session::AddHeader(Http2Stream* stream, absl::string_view name,
                             absl::string_view value) {
  if (stream->refusal != 0) return;
  stream->header_bytes += name.size() + value.size();
  HttpRequest& request = stream->request;
  if (stream->header_bytes > context_->limits.header_bytes_max ||
      request.headers.size() >= context_->limits.headers_max) {
    stream->refusal = 431;
  } else if (name == ":method") {
    request.method = std::string(value);
  } else if (name == ":path") {
    request.target = std::string(value);
  } else if (name == ":authority") {
    request.headers.insert(request.headers.begin(),
                           {"host", std::string(value)});
  } else if (name == "host" && !request.Header("host").empty()) {
    request.headers.front().value = std::string(value);
  } else if (!absl::StartsWith(name, ":")) {
    request.headers.push_back({std::string(name), std::string(value)});
  }
}

void Http2Session::OnRequestHead(Http2Stream* stream, bool complete) {
  stream->has_head = true;
  stream->progress = Now();
  const HttpRequest& request = stream->request;
  stream->is_head_request = request.method == "HEAD";
  uint64_t length = 0;
  if (stream->refusal == 0 &&
      absl::SimpleAtoi(request.Header("content-length"), &length) &&
      length > context_->limits.body_bytes_max) {
    stream->refusal = 413;
  }
  if (stream->refusal != 0) return Refuse(stream, stream->refusal);
  if (complete ||
      !absl::EqualsIgnoreCase(request.Header("expect"), "100-continue")) {
    return;
  }
  const nghttp2_nv asks_for_body = Pair(":status", "100");
  nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, stream->id, nullptr,
                         &asks_for_body, 1, nullptr);
}

void Http2Session::OnBody(Http2Stream* stream, absl::string_view bytes) {
  if (stream->refusal != 0) return;
  stream->progress = Now();
  std::string& body = stream->request.body;
  if (body.size() + bytes.size() > context_->limits.body_bytes_max) {
    return Refuse(stream, 413);
  }
  if (!stream->charge.Grow(bytes.size())) {
    stream->refusal = 503;
    return Reset(*stream, NGHTTP2_REFUSED_STREAM);
  }
  body.append(bytes.data(), bytes.size());
}

void Http2Session::OnRequestComplete(Http2Stream* stream) {
  stream->complete = true;
  stream->progress = Now();
  if (stream->refusal == 0) ready_.push_back(streams_.at(stream->id));
}

void Http2Session::OnFrameReceived(const nghttp2_frame& frame) {
  const bool ends = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  Http2Stream* const stream = Find(frame.hd.stream_id);
  switch (frame.hd.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA:
      if (stream == nullptr) return;
      if (!stream->has_head) OnRequestHead(stream, ends);
      if (ends) OnRequestComplete(stream);
      return;
    case NGHTTP2_SETTINGS:
      has_settings_ = true;
      return;
    case NGHTTP2_PING:
      // The answer to what StartDraining has sent.
      if (draining_ && (frame.hd.flags & NGHTTP2_FLAG_ACK) != 0) {
        Terminate(NGHTTP2_NO_ERROR);
      }
      return;
    default:
      return;
  }
}

void Http2Session::OnStreamClosed(int32_t id) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  closed_.push_back(std::move(found->second));
  streams_.erase(found);
  if (streams_.empty()) idle_since_ = Now();
}

void Http2Session::CloseEnded() {
  Streams closed;
  closed.swap(closed_);
  for (const auto& stream : closed) {
    if (stream->answer != nullptr) stream->answer->Close();
  }
}

void Http2Session::Refuse(Http2Stream* stream, int status) {
  stream->refusal = status;
  stream->request.body = std::string();
  const std::string code = absl::StrCat(status);
  const std::string date(loop_->Date());
  const std::array<nghttp2_nv, 3> headers = {
      Pair(":status", code), Pair("content-length", "0"), Pair("date", date)};
  nghttp2_submit_response(session_, stream->id, headers.data(), headers.size(),
                          nullptr);
}

void Http2Session::OnAnswerChanged(Http2Stream* stream) {
  stream->progress = Now();
  if (stream->answer->aborted()) {
    Reset(*stream, NGHTTP2_INTERNAL_ERROR);
  } else if (stream->answer->has_head()) {
    SubmitHead(stream);
  } else if (stream->head_sent) {
    nghttp2_session_resume_data(session_, stream->id);
  }
}

void Http2Session::SubmitHead(Http2Stream* stream) {
  HttpAnswer& answer = *stream->answer;
  const uint64_t body_bytes = answer.pending_bytes();
  const bool has_body =
      !stream->is_head_request && (answer.streaming() || body_bytes > 0);
  const HttpResponse response = answer.TakeHead();
  const std::string status = absl::StrCat(response.status);
  const std::string length = absl::StrCat(body_bytes);
  std::vector<HttpHeader> lower;
  lower.reserve(response.headers.size());
  std::vector<nghttp2_nv> headers;
  headers.reserve(response.headers.size() + 3);
  headers.push_back(Pair(":status", status));
  for (const HttpHeader& header : response.headers) {
    lower.push_back({absl::AsciiStrToLower(HeaderText(header.name)),
                     HeaderText(header.value)});
    headers.push_back(Pair(lower.back().name, lower.back().value));
  }
  headers.push_back(Pair("date", loop_->Date()));
  if (!answer.streaming() && StatusHasBody(response.status)) {
    headers.push_back(Pair("content-length", length));
  }
  const nghttp2_data_provider body = {{.ptr = stream}, Callbacks::ReadBody};
  stream->head_sent = true;
  nghttp2_submit_response(session_, stream->id, headers.data(), headers.size(),
                          has_body ? &body : nullptr);
}

void Http2Session::Gather(uint64_t bytes_max, Http2Output* output) {
  output_ = output;
  while (output->bytes.size() < bytes_max) {
    const uint8_t* bytes = nullptr;
    const ssize_t count = nghttp2_session_mem_send(session_, &bytes);
    if (count < 0) broken_ = true;
    if (count <= 0) break;
    output->bytes.Append(absl::string_view(reinterpret_cast<const char*>(bytes),
                                           static_cast<size_t>(count)));
  }
  output_ = nullptr;
  CloseEnded();
}

void Http2Session::OnFrameSent(const nghttp2_frame& frame) {
  const bool ends = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  // Answered before the request was complete: its rest is not wanted.
  if (ends && nghttp2_session_get_stream_remote_close(
                  session_, frame.hd.stream_id) == 0) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, frame.hd.stream_id,
                              NGHTTP2_NO_ERROR);
  }
}

bool Http2Session::IsBackedUp() const {
  return nghttp2_session_get_outbound_queue_size(session_) > kFramesWaitingMax;
}

bool Http2Session::IsOver() const {
  return broken_ || (nghttp2_session_want_read(session_) == 0 &&
                     nghttp2_session_want_write(session_) == 0);
}

bool Http2Session::HasNews() const {
  return IsOver() || nghttp2_session_get_outbound_queue_size(session_) > 0;
}

void Http2Session::StartDraining() {
  if (draining_) return;
  draining_ = true;
  nghttp2_submit_shutdown_notice(session_);
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
}

void Http2Session::Terminate(uint32_t error_code) {
  if (error_code != NGHTTP2_NO_ERROR) {
    nghttp2_session_terminate_session(session_, error_code);
  } else if (!std::exchange(goaway_sent_, true)) {
    nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(session_),
                          error_code, nullptr, 0);
  }
}

bool Http2Session::IsLate(const Http2Stream& stream, SteadyTime now) const {
  const HttpLimits& limits = context_->limits;
  if (!stream.complete) {
    return Passed(stream.progress, limits.body_timeout, now) ||
           Passed(stream.begun, limits.BodyTime(stream.request.body.size()),
                  now);
  }
  // The peer's flow control keeps the answer from leaving.
  return stream.head_sent && stream.answer->pending_bytes() > 0 &&
         Passed(stream.progress, limits.write_timeout, now);
}

bool Http2Session::GiveUpLate(SteadyTime now) {
  const HttpLimits& limits = context_->limits;
  if (!has_settings_ && Passed(idle_since_, limits.header_timeout, now)) {
    return false;
  }
  for (const auto& [id, stream] : streams_) {
    if (!stream->has_head &&
        Passed(stream->progress, limits.header_timeout, now)) {
      return false;
    }
    if (IsLate(*stream, now)) Reset(*stream, NGHTTP2_CANCEL);
  }
  const bool idle =
      streams_.empty() && Passed(idle_since_, limits.idle_timeout, now);
  if (idle || draining_) Terminate(NGHTTP2_NO_ERROR);
  return true;
}

void Http2Session::Reset(const Http2Stream& stream, uint32_t error_code) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream.id, error_code);
}

void Http2Session::CloseAll() {
  for (auto& [id, stream] : streams_) closed_.push_back(std::move(stream));
  streams_.clear();
  CloseEnded();
}

}  // namespace trireme
