#include "server/account_operations.h"

#include <utility>

#include "trireme/v1/command.pb.h"

namespace trireme {

void AccountOperations::Describe(absl::Duration timeout,
                                 Done<AccountSettings> done) {
  router_->Refresh(
      timeout, [this, done = std::move(done)](absl::Status status) mutable {
        if (!status.ok()) return done(std::move(status));
        AccountSettings account = router_->catalog().account();
        account.commitment = AsOf(account.commitment, clock_->WallNow());
        done(account);
      });
}

void AccountOperations::Update(const UpdateAccountRequest& request,
                               absl::Duration timeout,
                               Done<AccountSettings> done) {
  v1::Command command;
  command.mutable_update_account_settings()->set_commitment(request.commitment);
  replicas_->Propose(ProposalOfCommand(
      kMetaGroup, command.SerializeAsString(), timeout,
      [done = std::move(done)](ProposalOutcome outcome) mutable {
        if (!outcome.status.ok()) return done(std::move(outcome.status));
        done(DecodeAccount(outcome.reply));
      }));
}

}  // namespace trireme
