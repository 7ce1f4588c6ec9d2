#include "server/policy_operations.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/limits.h"
#include "server/validation.h"
#include "storage/errors.h"
#include "storage/status_macros.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

constexpr char kNoPolicy[] = "{}";

// Only says whether it is JSON: nothing is built of it, however deep it is.
bool IsJsonObject(absl::string_view text) {
  return absl::StartsWith(absl::StripLeadingAsciiWhitespace(text), "{") &&
         nlohmann::json::accept(text.begin(), text.end());
}

v1::Command SetPolicy(const Stream& stream, const std::string& policy) {
  v1::Command command;
  v1::SetPolicyCommand& set = *command.mutable_set_policy();
  set.set_stream_id(stream.id.value());
  set.set_policy(policy);
  return command;
}

}  // namespace

absl::Status CheckPolicy(const PutPolicyRequest& request) {
  const absl::string_view policy = request.policy;
  Violations violations;
  violations.CheckLength("policy", policy, policy.size(), 1, policy.size());
  RETURN_IF_ERROR(violations.ToStatus());
  if (policy.size() > kPolicyBytesMax) {
    return MakeError(ErrorReason::kInvalidArgument,
                     absl::StrCat("the policy is ", policy.size(),
                                  " bytes; the limit is ", kPolicyBytesMax));
  }
  if (IsJsonObject(policy)) return absl::OkStatus();
  return MakeError(ErrorReason::kInvalidArgument,
                   absl::StrCat("the policy is not a JSON object: ",
                                Utf8Prefix(policy, 256)));
}

std::string PolicyOrNone(const std::string& policy) {
  return policy.empty() ? std::string(kNoPolicy) : policy;
}

absl::Status NoPolicy(absl::string_view arn) {
  return MakeError(
      ErrorReason::kResourceNotFound,
      absl::StrCat("No resource policy found for resource ARN ", arn));
}

void PolicyOperations::Put(const PutPolicyRequest& request,
                           absl::Duration timeout, StatusDone done) {
  absl::Status checked = CheckPolicy(request);
  if (!checked.ok()) return done(std::move(checked));
  changes_.Apply(
      request.resource, timeout,
      [policy = std::string(request.policy)](const Stream& stream) {
        return SetPolicy(stream, policy);
      },
      std::move(done));
}

void PolicyOperations::Get(const StreamAddress& resource,
                           absl::Duration timeout, Done<std::string> done) {
  const absl::StatusOr<StreamRef> ref =
      ResolveStream(resource, router_->account());
  if (!ref.ok()) return done(ref.status());
  router_->FindFresh(
      *ref, timeout,
      [done = std::move(done)](absl::StatusOr<StreamPtr> found) mutable {
        if (!found.ok()) return done(found.status());
        done(PolicyOrNone((*found)->policy));
      });
}

void PolicyOperations::Delete(const StreamAddress& resource,
                              absl::Duration timeout, StatusDone done) {
  changes_.Apply(
      resource, timeout,
      [arn = std::string(resource.arn)](
          const Stream& stream) -> absl::StatusOr<v1::Command> {
        if (stream.policy.empty()) return NoPolicy(arn);
        return SetPolicy(stream, "");
      },
      std::move(done));
}

}  // namespace trireme
