#include "storage/claims.h"

#include "trireme/v1/command.pb.h"

namespace trireme {

ClaimKey KeyOf(const v1::ShardClaim& claim) {
  return {{StreamId(claim.stream_id()), ShardIndex(claim.shard())},
          claim.consumer()};
}

ClaimsDecision DecideClaims(const Claims& held,
                            const v1::ClaimShardsCommand& command,
                            int64_t stamp_ms) {
  ClaimsDecision decision;
  for (const auto& [key, claim] : held) {
    if (stamp_ms - claim.stamp_ms < command.held_ms()) {
      decision.claims.emplace(key, claim);
    }
  }
  v1::ClaimShardsReply reply;
  for (const v1::ShardClaim& wanted : command.claims()) {
    const Claim claim{wanted.subscription(), stamp_ms};
    const auto [newest, granted] =
        decision.claims.try_emplace(KeyOf(wanted), claim);
    // One that is asked for again, because its answer got lost, is granted.
    const bool refused =
        !granted && newest->second.subscription != claim.subscription;
    reply.add_refused_for_ms(
        refused ? newest->second.stamp_ms + command.held_ms() - stamp_ms : 0);
  }
  decision.reply = reply.SerializeAsString();
  return decision;
}

std::string EncodeClaims(const Claims& claims) {
  v1::ClaimsRow row;
  for (const auto& [key, claim] : claims) {
    v1::HeldClaim& held = *row.add_claims();
    held.set_stamp_ms(claim.stamp_ms);
    v1::ShardClaim& encoded = *held.mutable_claim();
    encoded.set_stream_id(key.shard.stream.value());
    encoded.set_shard(key.shard.shard.value());
    encoded.set_consumer(key.consumer);
    encoded.set_subscription(claim.subscription);
  }
  return row.SerializeAsString();
}

absl::StatusOr<Claims> DecodeClaims(absl::string_view bytes) {
  v1::ClaimsRow row;
  if (!row.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return absl::DataLossError("malformed row of a group's claims");
  Claims claims;
  for (const v1::HeldClaim& held : row.claims()) {
    claims[KeyOf(held.claim())] = {held.claim().subscription(),
                                   held.stamp_ms()};
  }
  return claims;
}

}  // namespace trireme
