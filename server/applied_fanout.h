// Tells several observers what one applier applied, in the order they were
// added. It exists before the node, whose parts some observers need: they are
// added once the node is open, before it starts.
#ifndef TRIREME_SERVER_APPLIED_FANOUT_H_
#define TRIREME_SERVER_APPLIED_FANOUT_H_

#include <vector>

#include "replication/applier.h"

namespace trireme {

class AppliedFanout : public AppliedObserver {
 public:
  // Before the applier runs. `observer` outlives the applier.
  void Add(AppliedObserver* observer) { observers_.push_back(observer); }

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
  // Constant once the applier runs.
  std::vector<AppliedObserver*> observers_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_APPLIED_FANOUT_H_
