#include "tests/bench/floors.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "storage/check.h"
#include "tests/bench/load.h"
#include "tests/bench/report.h"

namespace trireme::bench {
namespace {

constexpr size_t kLogBytes = 128 << 20;
constexpr size_t kBatchBytes = 1 << 20;
constexpr size_t kPageBytes = 4 << 10;
constexpr size_t kSendBytes = 256 << 10;

// A zeroed file that is on disk, so that writing it changes no metadata.
class ZeroedFile {
 public:
  ZeroedFile(std::string path, size_t bytes) : path_(std::move(path)) {
    fd_ = open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0644);
    CHECK(fd_ >= 0, "cannot create " + path_);
    const std::string zeroes(kBatchBytes, '\0');
    for (size_t at = 0; at < bytes; at += zeroes.size()) Write(zeroes, at);
    CHECK(fsync(fd_) == 0, "fsync failed");
  }
  ~ZeroedFile() {
    close(fd_);
    unlink(path_.c_str());
  }

  void Write(const std::string& bytes, size_t at) {
    CHECK(pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(at)) ==
              static_cast<ssize_t>(bytes.size()),
          "write failed");
  }
  void WriteDurably(const std::string& bytes, size_t at) {
    Write(bytes, at);
    CHECK(fdatasync(fd_) == 0, "fdatasync failed");
  }

 private:
  const std::string path_;
  int fd_ = -1;
};

// Two ends of a TCP connection over loopback.
std::pair<int, int> Connection() {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  CHECK(bind(listener, generic, length) == 0, "bind failed");
  CHECK(listen(listener, 1) == 0, "listen failed");
  CHECK(getsockname(listener, generic, &length) == 0, "getsockname failed");
  const int near = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(connect(near, generic, length) == 0, "connect failed");
  const int far = accept(listener, nullptr, nullptr);
  CHECK(far >= 0, "accept failed");
  close(listener);
  const int on = 1;
  setsockopt(near, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  setsockopt(far, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return {near, far};
}

}  // namespace

double ThreeFoldLogMegabytesPerSecond(const std::string& directory,
                                      double seconds) {
  std::vector<std::unique_ptr<ZeroedFile>> files;
  for (int i = 0; i < 3; ++i) {
    files.push_back(std::make_unique<ZeroedFile>(
        absl::StrCat(directory, "/floor-", i), kLogBytes));
  }
  const std::string batch(kBatchBytes, 'd');
  std::atomic<uint64_t> bytes = 0;
  const int64_t start = SteadyNow();
  const int64_t end = start + static_cast<int64_t>(seconds * 1e9);
  std::vector<std::thread> threads;
  for (const auto& file : files) {
    threads.emplace_back([&, log = file.get()] {
      for (size_t at = 0; SteadyNow() < end; at += kBatchBytes) {
        log->WriteDurably(batch, at % kLogBytes);
        bytes += kBatchBytes;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const double took = static_cast<double>(SteadyNow() - start) / 1e9;
  return static_cast<double>(bytes) / 3 / 1e6 / took;
}

double FdatasyncMilliseconds(const std::string& directory, double seconds) {
  ZeroedFile file(directory + "/floor", kLogBytes / 8);
  const std::string page(kPageBytes, 'd');
  std::vector<double> took_ms;
  const int64_t end = SteadyNow() + static_cast<int64_t>(seconds * 1e9);
  for (size_t at = 0; SteadyNow() < end; at += kPageBytes) {
    const int64_t start = SteadyNow();
    file.WriteDurably(page, at % (kLogBytes / 8));
    took_ms.push_back(static_cast<double>(SteadyNow() - start) / 1e6);
    // As rare as the puts it is compared with; a busy machine's scheduler
    // would keep a loop without pauses waiting after each.
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return Median(std::move(took_ms));
}

double LoopbackRoundTripMilliseconds(double seconds) {
  const auto [near, far] = Connection();
  std::thread echo([far = far] {
    char byte = 0;
    while (read(far, &byte, 1) == 1) {
      if (write(far, &byte, 1) != 1) break;
    }
  });
  std::vector<double> took_ms;
  const int64_t end = SteadyNow() + static_cast<int64_t>(seconds * 1e9);
  char byte = 'x';
  while (SteadyNow() < end) {
    const int64_t start = SteadyNow();
    CHECK(write(near, &byte, 1) == 1 && read(near, &byte, 1) == 1,
          "loopback failed");
    took_ms.push_back(static_cast<double>(SteadyNow() - start) / 1e6);
  }
  close(near);
  echo.join();
  close(far);
  return Median(std::move(took_ms));
}

double LoopbackMegabytesPerSecond(double seconds) {
  const auto [near, far] = Connection();
  double bytes = 0;
  std::thread reader([&, far = far] {
    std::vector<char> buffer(kSendBytes);
    ssize_t count = 0;
    while ((count = read(far, buffer.data(), buffer.size())) > 0) {
      bytes += static_cast<double>(count);
    }
  });
  const std::vector<char> buffer(kSendBytes, 'd');
  const int64_t start = SteadyNow();
  const int64_t end = start + static_cast<int64_t>(seconds * 1e9);
  while (SteadyNow() < end) {
    CHECK(write(near, buffer.data(), buffer.size()) > 0, "loopback failed");
  }
  close(near);
  reader.join();
  close(far);
  return bytes / 1e6 / (static_cast<double>(SteadyNow() - start) / 1e9);
}

}  // namespace trireme::bench
