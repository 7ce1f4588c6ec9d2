// Collects the conversions that are put, and shows them as a table with a plot.
// Any thread.
#ifndef TRIREME_CLIENT_EXAMPLES_AD_CONVERSION_CONVERSION_BOARD_H_
#define TRIREME_CLIENT_EXAMPLES_AD_CONVERSION_CONVERSION_BOARD_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "client/examples/ad_conversion/ad_traffic.h"
#include "client/record_processor.h"

namespace trireme::examples {

class ConversionBoard {
 public:
  explicit ConversionBoard(std::string run) : run_(std::move(run)) {}

  // Reads a shard for the board, which must outlive it.
  std::unique_ptr<client::RecordProcessor> NewReader();

  // False when no new ad and minute came for so long.
  bool Await(size_t ad_minutes, absl::Duration patience);
  Conversions all() const;

 private:
  class Reader;
  void Take(const client::UserRecord& record);

  const std::string run_;
  mutable absl::Mutex mu_;
  Conversions conversions_ ABSL_GUARDED_BY(mu_);
  size_t count_ ABSL_GUARDED_BY(mu_) = 0;  // Of ads and minutes.
};

void Print(const Conversions& conversions);

}  // namespace trireme::examples

#endif  // TRIREME_CLIENT_EXAMPLES_AD_CONVERSION_CONVERSION_BOARD_H_
