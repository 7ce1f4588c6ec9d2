#include "client/examples/ad_conversion/conversion_board.h"

#include <cstdio>
#include <nlohmann/json.hpp>

namespace trireme::examples {
namespace {

using Json = nlohmann::json;

constexpr double kBarOfAll = 100;  // Characters.

double Percent(const Tally& tally) {
  return tally.clicks == 0 ? 0
                           : 100 * static_cast<double>(tally.orders) /
                                 static_cast<double>(tally.clicks);
}

}  // namespace

class ConversionBoard::Reader : public client::RecordProcessor {
 public:
  explicit Reader(ConversionBoard& board) : board_(board) {}

  absl::Status Process(const client::RecordBatch& batch,
                       client::Checkpointer&) override {
    for (const client::UserRecord& record : batch.records) board_.Take(record);
    return absl::OkStatus();
  }

 private:
  ConversionBoard& board_;
};

std::unique_ptr<client::RecordProcessor> ConversionBoard::NewReader() {
  return std::make_unique<Reader>(*this);
}

void ConversionBoard::Take(const client::UserRecord& record) {
  const Json json = Json::parse(record.data, nullptr, false);
  if (!json.is_object() || json.value("run", "") != run_) return;
  absl::MutexLock lock(&mu_);
  const auto [place, is_new] =
      conversions_[json["minute"].get<int64_t>()].try_emplace(
          json["ad"].get<std::string>());
  place->second = {json["clicks"].get<uint64_t>(),
                   json["orders"].get<uint64_t>()};
  count_ += is_new;
}

bool ConversionBoard::Await(size_t ad_minutes, absl::Duration patience) {
  absl::MutexLock lock(&mu_);
  while (count_ < ad_minutes) {
    const size_t before = count_;
    auto grew = [this, before]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
      return count_ > before;
    };
    if (!mu_.AwaitWithTimeout(absl::Condition(&grew), patience)) return false;
  }
  return true;
}

Conversions ConversionBoard::all() const {
  absl::MutexLock lock(&mu_);
  return conversions_;
}

void Print(const Conversions& conversions) {
  std::printf("\n%-8s%8s%8s%9s\n", "minute", "clicks", "orders", "ratio");
  AdTallies by_ad;
  for (const auto& [minute, ads] : conversions) {
    Tally sum;
    for (const auto& [ad, tally] : ads) {
      sum.clicks += tally.clicks;
      sum.orders += tally.orders;
      by_ad[ad].clicks += tally.clicks;
      by_ad[ad].orders += tally.orders;
    }
    const auto bar = static_cast<size_t>(Percent(sum) / 100 * kBarOfAll);
    std::printf("%-8s%8llu%8llu%7.1f %%  %s\n",
                absl::FormatTime("%H:%M", absl::FromUnixSeconds(minute * 60),
                                 absl::LocalTimeZone())
                    .c_str(),
                static_cast<unsigned long long>(sum.clicks),
                static_cast<unsigned long long>(sum.orders), Percent(sum),
                std::string(bar, '#').c_str());
  }
  std::printf("\n%-8s%8s%8s%9s\n", "ad", "clicks", "orders", "ratio");
  for (const auto& [ad, sum] : by_ad) {
    std::printf("%-8s%8llu%8llu%7.1f %%\n", ad.c_str(),
                static_cast<unsigned long long>(sum.clicks),
                static_cast<unsigned long long>(sum.orders), Percent(sum));
  }
}

}  // namespace trireme::examples
