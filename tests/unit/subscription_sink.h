// A subscriber for tests: takes events, and says that one was written when the
// test does.
#ifndef TRIREME_TESTS_UNIT_SUBSCRIPTION_SINK_H_
#define TRIREME_TESTS_UNIT_SUBSCRIPTION_SINK_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "server/subscription.h"
#include "tests/unit/broker_fixture.h"
#include "trireme/v1/records.pb.h"

namespace trireme {

class Sink : public SubscriptionSink {
 public:
  void Write(SubscriptionEvent event) override {
    EXPECT_FALSE(writing) << "one event at a time";
    EXPECT_FALSE(finished.has_value());
    writing = true;
    events.push_back(std::move(event));
  }
  void Finish(absl::Status status) override {
    EXPECT_FALSE(finished.has_value());
    EXPECT_FALSE(writing);
    finished = std::move(status);
  }
  void Abandon() override { abandoned = true; }

  bool writing = false;
  bool abandoned = false;
  std::vector<SubscriptionEvent> events;
  std::optional<absl::Status> finished;
};

inline std::vector<std::string> DataOf(const SubscriptionEvent& event) {
  v1::SubscribeToShardEvent message;
  EXPECT_TRUE(message.ParseFromString(BytesOf(event.records)));
  std::vector<std::string> data;
  for (const v1::Record& record : message.records()) {
    data.push_back(record.data());
  }
  return data;
}

}  // namespace trireme

#endif  // TRIREME_TESTS_UNIT_SUBSCRIPTION_SINK_H_
