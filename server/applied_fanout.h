// Tells several observers what one applier applied, in the order given.
#ifndef TRIREME_SERVER_APPLIED_FANOUT_H_
#define TRIREME_SERVER_APPLIED_FANOUT_H_

#include <utility>
#include <vector>

#include "replication/applier.h"

namespace trireme {

class AppliedFanout : public AppliedObserver {
 public:
  explicit AppliedFanout(std::vector<AppliedObserver*> observers)
      : observers_(std::move(observers)) {}

  void OnApplied(const CommittedEntry& entry,
                 const ApplyResult& result) override {
    for (AppliedObserver* observer : observers_) {
      observer->OnApplied(entry, result);
    }
  }
  void OnStateReplaced(GroupId group) override {
    for (AppliedObserver* observer : observers_) {
      observer->OnStateReplaced(group);
    }
  }

 private:
  const std::vector<AppliedObserver*> observers_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_APPLIED_FANOUT_H_
