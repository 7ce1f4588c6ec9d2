#include "server/http/http1_input.h"

#include <cstring>
#include <utility>

namespace trireme {
namespace {

// One read of an idle connection, and of one that has much to say.
constexpr size_t kReadBytesMin = 4 << 10;
constexpr size_t kReadBytesMax = 64 << 10;

}  // namespace

Http1Input::Http1Input(HttpLoop* loop, HttpSocket* socket, std::string bytes,
                       Signal* came)
    : socket_(socket),
      came_(came),
      wants_(loop->executor()),
      stopped_(loop->executor()),
      buffer_(std::move(bytes)),
      end_(buffer_.size()),
      read_bytes_max_(kReadBytesMin) {}

Awaitable<void> Http1Input::Run() {
  while (!stopping_ && status_.ok()) {
    if (!wanted_) {
      co_await wants_.Wait();
      continue;
    }
    MakeRoom();
    const absl::StatusOr<size_t> read =
        co_await socket_->Read(buffer_.data() + end_, read_bytes_max_);
    const size_t bytes = read.value_or(0);
    end_ += bytes;
    read_bytes_max_ = bytes == read_bytes_max_ ? kReadBytesMax : kReadBytesMin;
    if (!read.ok()) status_ = read.status();
    wanted_ = false;
    came_->Notify();
  }
  wanted_ = false;
  running_ = false;
  came_->Notify();
  stopped_.Notify();
}

void Http1Input::MakeRoom() {
  const size_t held = end_ - begin_;
  std::memmove(buffer_.data(), buffer_.data() + begin_, held);
  begin_ = 0;
  end_ = held;
  buffer_.resize(held + read_bytes_max_);
  // What a large body needed is not kept while the connection idles.
  if (held == 0 && buffer_.capacity() > kReadBytesMax) buffer_.shrink_to_fit();
}

Awaitable<void> Http1Input::Stop() {
  stopping_ = true;
  wants_.Notify();
  if (wanted_) socket_->StopReading();
  while (running_) co_await stopped_.Wait();
}

void Http1Input::Want() {
  if (wanted_ || !status_.ok()) return;
  wanted_ = true;
  wants_.Notify();
}

}  // namespace trireme
