#include "server/consumer_operations.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/limits.h"
#include "server/page_size.h"
#include "server/policy_operations.h"
#include "server/tags.h"
#include "server/validation.h"
#include "storage/account_settings.h"
#include "storage/errors.h"
#include "storage/tag_rows.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

absl::Status ConsumerExists(absl::string_view name, absl::string_view stream,
                            const Account& account) {
  return MakeError(
      ErrorReason::kResourceInUse,
      absl::StrCat("Consumer ", name, " of stream ", stream, " under account ",
                   account.id, " already exists."));
}

// Consumers come and go while a stream is resharded too.
absl::Status CheckIsThere(const Stream& stream, const Account& account) {
  if (stream.status == StreamStatus::kActive ||
      stream.status == StreamStatus::kUpdating) {
    return absl::OkStatus();
  }
  return StreamNotActive(stream.name, StreamStatusName(stream.status), account);
}

v1::Command RegistrationOf(const Stream& stream, const std::string& name,
                           const Tags& tags, uint32_t consumers_max) {
  v1::Command command;
  v1::RegisterConsumerCommand& registration =
      *command.mutable_register_consumer();
  registration.set_stream_id(stream.id.value());
  registration.set_name(name);
  registration.set_consumers_max(consumers_max);
  AppendTags(tags, registration.mutable_tags());
  return command;
}

// The consumer that an operation on resources names.
ConsumerAddress ResourceOf(const StreamAddress& address) {
  return {{}, "", address.arn, /*is_resource=*/true};
}

v1::Command TagCommandFor(const Stream& stream, const ConsumerRow& consumer) {
  v1::Command command;
  command.mutable_tag_consumer()->set_stream_id(stream.id.value());
  command.mutable_tag_consumer()->set_consumer(consumer.second.number);
  return command;
}

v1::Command PolicyCommandFor(const Stream& stream, const ConsumerRow& consumer,
                             const std::string& policy) {
  v1::Command command;
  v1::SetPolicyCommand& set = *command.mutable_set_policy();
  set.set_stream_id(stream.id.value());
  set.set_consumer(consumer.second.number);
  set.set_policy(policy);
  return command;
}

// What a registration came to, in the words that all operations use.
absl::StatusOr<FoundConsumer> ResultOf(const ProposalOutcome& outcome,
                                       const Stream& stream,
                                       const std::string& name,
                                       const Account& account) {
  if (!outcome.status.ok()) {
    switch (ReasonOf(outcome.status)) {
      case ErrorReason::kResourceInUse:  // Somebody was faster.
        return ConsumerExists(name, stream.name, account);
      case ErrorReason::kResourceNotFound:
        return StreamNotFound(stream.name, account);
      default:
        return outcome.status;
    }
  }
  v1::RegisterConsumerReply reply;
  if (!reply.ParseFromString(outcome.reply)) {
    return absl::DataLossError("a registration's reply is malformed");
  }
  return FoundConsumer{stream.name, name, reply.created_s()};
}

}  // namespace

void ConsumerOperations::Register(const RegisterConsumerRequest& request,
                                  absl::Duration timeout,
                                  Done<FoundConsumer> done) {
  Violations violations;
  CheckResourceName("consumerName", request.name, &violations);
  if (!request.tags.empty()) CheckTags(request.tags, &violations);
  if (!violations.empty()) return done(violations.ToStatus());
  const Account& account = router_->account();
  absl::Status tagged = CheckTagKeysAreFree(request.tags);
  tagged.Update(
      CheckTagCount(request.tags.size(), "consumer", request.name, account));
  if (!tagged.ok()) return done(std::move(tagged));
  const auto stream_name = ResolveStreamName(request.stream, account);
  if (!stream_name.ok()) return done(stream_name.status());

  const absl::Duration deadline = clock_->MonotonicNow() + timeout;
  router_->FindFresh(
      *stream_name, timeout,
      [this, deadline, name = std::string(request.name), tags = request.tags,
       done = std::move(done)](absl::StatusOr<StreamPtr> found) mutable {
        if (!found.ok()) return done(found.status());
        absl::Status room = CheckRoomFor(**found, name);
        if (!room.ok()) return done(std::move(room));
        const v1::Command command =
            RegistrationOf(**found, name, tags, ConsumersMax());
        replicas_->Propose(ProposalOfCommand(
            kMetaGroup, command.SerializeAsString(),
            deadline - clock_->MonotonicNow(),
            [this, stream = *std::move(found), name = std::move(name),
             done = std::move(done)](ProposalOutcome outcome) mutable {
              done(ResultOf(outcome, *stream, name, router_->account()));
            }));
      });
}

absl::Status ConsumerOperations::CheckRoomFor(const Stream& stream,
                                              absl::string_view name) const {
  const Account& account = router_->account();
  absl::Status there = CheckIsThere(stream, account);
  if (!there.ok()) return there;
  if (stream.consumers.by_name.contains(name)) {
    return ConsumerExists(name, stream.name, account);
  }
  const size_t count = stream.consumers.by_name.size();
  const uint32_t max = ConsumersMax();
  if (count < max) return absl::OkStatus();
  return MakeError(
      ErrorReason::kLimitExceeded,
      absl::StrCat("Stream ", stream.name, " under account ", account.id,
                   " has ", count, " registered consumers; the limit is ", max,
                   ". Deregister one that is not needed."));
}

uint32_t ConsumerOperations::ConsumersMax() const {
  return IsOn(router_->catalog().account().commitment, clock_->WallNow())
             ? kConsumersMaxCommitted
             : kConsumersMax;
}

void ConsumerOperations::Find(const ConsumerAddress& consumer,
                              absl::Duration timeout, Done<Found> done) {
  absl::StatusOr<ConsumerName> named =
      ResolveConsumer(consumer, router_->account());
  if (!named.ok()) return done(named.status());
  const std::string stream_name = named->stream;
  router_->FindFresh(
      stream_name, timeout,
      [this, named = *std::move(named),
       done = std::move(done)](absl::StatusOr<StreamPtr> stream) mutable {
        if (!stream.ok()) return done(stream.status());
        Found found;
        found.stream = *std::move(stream);
        found.consumer = FindConsumer(*found.stream, named);
        if (found.consumer == nullptr) {
          return done(ConsumerNotFound(named, router_->account()));
        }
        done(std::move(found));
      });
}

void ConsumerOperations::Change(const ConsumerAddress& consumer,
                                absl::Duration timeout, Plan plan,
                                StatusDone done) {
  const absl::Duration deadline = clock_->MonotonicNow() + timeout;
  Find(consumer, timeout,
       [this, deadline, plan = std::move(plan),
        done = std::move(done)](absl::StatusOr<Found> found) mutable {
         if (!found.ok()) return done(found.status());
         const Account& account = router_->account();
         const absl::StatusOr<v1::Command> command = plan(*found);
         if (!command.ok()) return done(command.status());
         ConsumerName named{found->stream->name, found->consumer->first,
                            found->consumer->second.created_s};
         replicas_->Propose(ProposalOfCommand(
             kMetaGroup, command->SerializeAsString(),
             deadline - clock_->MonotonicNow(),
             [named = std::move(named), account,
              done = std::move(done)](ProposalOutcome outcome) mutable {
               // It, or its stream, was there a moment ago.
               const ErrorReason reason = ReasonOf(outcome.status);
               if (reason == ErrorReason::kResourceNotFound ||
                   reason == ErrorReason::kResourceInUse) {
                 return done(ConsumerNotFound(named, account));
               }
               done(std::move(outcome.status));
             }));
       });
}

void ConsumerOperations::Deregister(const ConsumerAddress& consumer,
                                    absl::Duration timeout, StatusDone done) {
  Change(
      consumer, timeout,
      [](const Found& found) {
        v1::Command command;
        v1::DeregisterConsumerCommand& deregistration =
            *command.mutable_deregister_consumer();
        deregistration.set_stream_id(found.stream->id.value());
        deregistration.set_consumer(found.consumer->second.number);
        return command;
      },
      std::move(done));
}

void ConsumerOperations::Describe(const ConsumerAddress& consumer,
                                  absl::Duration timeout,
                                  Done<FoundConsumer> done) {
  Find(consumer, timeout,
       [done = std::move(done)](absl::StatusOr<Found> found) mutable {
         if (!found.ok()) return done(found.status());
         const auto& [name, consumer] = *found->consumer;
         done(FoundConsumer{found->stream->name, name, consumer.created_s});
       });
}

void ConsumerOperations::List(const ListConsumersRequest& request,
                              absl::Duration timeout,
                              Done<ListConsumersResponse> done) {
  const absl::StatusOr<size_t> page =
      PageSize("maxResults", request.max_results, kListConsumersPage);
  if (!page.ok()) return done(page.status());
  const auto name = ResolveStreamName(request.stream, router_->account());
  if (!name.ok()) return done(name.status());
  ListPosition from;
  if (!request.next_token.empty()) {
    if (request.stream_creation_timestamp.has_value()) {
      return done(MakeError(ErrorReason::kInvalidArgument,
                            "NextToken and StreamCreationTimestamp cannot be "
                            "provided together."));
    }
    absl::StatusOr<ListPosition> position =
        DecodeNextToken(*signer_, ListOperation::kListStreamConsumers,
                        request.next_token, clock_->WallNow());
    if (!position.ok()) return done(position.status());
    from = *std::move(position);
  }
  const bool continues = !request.next_token.empty();
  router_->FindFresh(
      *name, timeout,
      [this, page = *page, from = std::move(from), continues,
       created = request.stream_creation_timestamp,
       done = std::move(done)](absl::StatusOr<StreamPtr> found) mutable {
        if (!found.ok()) return done(found.status());
        const Stream& stream = **found;
        const bool is_another =
            continues ? from.stream != stream.id
                      : created.has_value() &&
                            absl::ToUnixSeconds(*created) !=
                                absl::ToUnixSeconds(stream.created);
        if (is_another) {
          return done(StreamNotFound(stream.name, router_->account()));
        }
        absl::Status there = CheckIsThere(stream, router_->account());
        if (!there.ok()) return done(std::move(there));
        done(ListFrom(stream, from.name, page));
      });
}

absl::StatusOr<ListConsumersResponse> ConsumerOperations::ListFrom(
    const Stream& stream, const std::string& after, size_t limit) const {
  const auto& all = stream.consumers.by_name;
  ListConsumersResponse response;
  for (auto row = all.upper_bound(after); row != all.end(); ++row) {
    if (response.consumers.size() == limit) {
      ListPosition last;
      last.stream = stream.id;
      last.name = response.consumers.back().name;
      response.next_token =
          EncodeNextToken(*signer_, ListOperation::kListStreamConsumers, last,
                          clock_->WallNow());
      break;
    }
    response.consumers.push_back(
        {stream.name, row->first, row->second.created_s});
  }
  return response;
}

void ConsumerOperations::AddTags(const AddTagsRequest& request,
                                 absl::Duration timeout, StatusDone done) {
  Violations violations;
  CheckTags(request.tags, &violations);
  if (!violations.empty()) return done(violations.ToStatus());
  absl::Status free = CheckTagKeysAreFree(request.tags);
  if (!free.ok()) return done(std::move(free));
  Change(
      ResourceOf(request.stream), timeout,
      [this,
       tags = request.tags](const Found& found) -> absl::StatusOr<v1::Command> {
        Tags all = tags;
        const Tags& held = found.consumer->second.tags;
        all.insert(held.begin(), held.end());
        absl::Status count = CheckTagCount(
            all.size(), "consumer", found.consumer->first, router_->account());
        if (!count.ok()) return count;
        v1::Command command = TagCommandFor(*found.stream, *found.consumer);
        command.mutable_tag_consumer()->set_tags_max(kTagsMax);
        AppendTags(tags, command.mutable_tag_consumer()->mutable_add());
        return command;
      },
      std::move(done));
}

void ConsumerOperations::RemoveTags(const RemoveTagsRequest& request,
                                    absl::Duration timeout, StatusDone done) {
  Violations violations;
  CheckTagKeys(request.keys, &violations);
  if (!violations.empty()) return done(violations.ToStatus());
  Change(
      ResourceOf(request.stream), timeout,
      [keys = request.keys](const Found& found) {
        v1::Command command = TagCommandFor(*found.stream, *found.consumer);
        for (const std::string& key : keys) {
          command.mutable_tag_consumer()->add_remove_keys(key);
        }
        return command;
      },
      std::move(done));
}

void ConsumerOperations::ListTags(const ListTagsRequest& request,
                                  absl::Duration timeout,
                                  Done<ListTagsResponse> done) {
  Find(ResourceOf(request.stream), timeout,
       [done = std::move(done)](absl::StatusOr<Found> found) mutable {
         if (!found.ok()) return done(found.status());
         done(ListTagsResponse{found->consumer->second.tags, false});
       });
}

void ConsumerOperations::PutPolicy(const PutPolicyRequest& request,
                                   absl::Duration timeout, StatusDone done) {
  absl::Status checked = CheckPolicy(request);
  if (!checked.ok()) return done(std::move(checked));
  Change(
      ResourceOf(request.resource), timeout,
      [policy = std::string(request.policy)](const Found& found) {
        return PolicyCommandFor(*found.stream, *found.consumer, policy);
      },
      std::move(done));
}

void ConsumerOperations::GetPolicy(const StreamAddress& resource,
                                   absl::Duration timeout,
                                   Done<std::string> done) {
  Find(ResourceOf(resource), timeout,
       [done = std::move(done)](absl::StatusOr<Found> found) mutable {
         if (!found.ok()) return done(found.status());
         done(PolicyOrNone(found->consumer->second.policy));
       });
}

void ConsumerOperations::DeletePolicy(const StreamAddress& resource,
                                      absl::Duration timeout, StatusDone done) {
  Change(
      ResourceOf(resource), timeout,
      [arn = std::string(resource.arn)](
          const Found& found) -> absl::StatusOr<v1::Command> {
        if (found.consumer->second.policy.empty()) return NoPolicy(arn);
        return PolicyCommandFor(*found.stream, *found.consumer, "");
      },
      std::move(done));
}

}  // namespace trireme
