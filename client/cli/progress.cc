#include "client/cli/progress.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"

namespace trireme::cli {
namespace {

constexpr size_t kBarWidth = 30;
constexpr absl::Duration kRedraw = absl::Milliseconds(100);
constexpr absl::Duration kLine = absl::Seconds(2);

}  // namespace

Progress::Progress(Console& console, std::string label, uint64_t total,
                   WithoutTerminal without_terminal)
    : console_(console),
      label_(std::move(label)),
      total_(total),
      lines_(without_terminal == WithoutTerminal::kLines),
      start_(absl::Now()),
      next_draw_(console.err_is_terminal ? start_ : start_ + kLine) {}

Progress::~Progress() { Finish(); }

std::string Progress::Bar(uint64_t done, uint64_t total, size_t width) {
  const size_t full =
      total == 0 ? 0 : std::min<uint64_t>(width, done * width / total);
  std::string bar;
  for (size_t i = 0; i < width; ++i) bar += i < full ? "█" : "░";
  return bar;
}

void Progress::Update(uint64_t done, const std::string& note) {
  if (!console_.err_is_terminal && !lines_) return;
  const absl::Time now = absl::Now();
  if (now < next_draw_) return;
  next_draw_ = now + (console_.err_is_terminal ? kRedraw : kLine);
  Draw(done, note);
}

void Progress::Draw(uint64_t done, const std::string& note) {
  std::string percent;
  if (total_ > 0) {
    percent =
        absl::StrFormat("%3d%%", std::min<uint64_t>(100, done * 100 / total_));
  }
  if (console_.err_is_terminal) {
    console_.err << "\r\033[K" << label_ << " ";
    if (total_ > 0) {
      console_.err << Bar(done, total_, kBarWidth) << " " << percent << "  ";
    }
    console_.err << note << std::flush;
  } else {
    console_.err << label_ << (percent.empty() ? "" : " " + percent) << "  "
                 << note << std::endl;
  }
  drawn_ = true;
}

void Progress::Finish() {
  if (drawn_ && console_.err_is_terminal) {
    console_.err << "\r\033[K" << std::flush;
  }
  drawn_ = false;
}

}  // namespace trireme::cli
