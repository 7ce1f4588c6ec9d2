#include "server/kinesis/shapes.h"

#include <utility>

#include "server/limits.h"
#include "server/resource_names.h"
#include "server/validation.h"

namespace trireme {
namespace {

constexpr size_t kSequenceNumberDigitsMax = 129;
constexpr size_t kStreamIdCharactersMax = 24;

constexpr Pattern kResourceName{"[a-zA-Z0-9_.-]+", IsResourceName};
constexpr Pattern kHashKey{R"(0|([1-9]\d{0,38}))", IsHashKey};
constexpr Pattern kSequenceNumber{
    R"(0|([1-9]\d{0,128}))", [](absl::string_view text) {
      return IsDecimal(text, kSequenceNumberDigitsMax);
    }};

Shape Plus(std::vector<ShapeMember> members, std::vector<ShapeMember> more) {
  for (ShapeMember& member : more) members.push_back(std::move(member));
  return Structure(std::move(members));
}

}  // namespace

Shape ResourceNameShape() {
  return String().Matching(kResourceName).Length(1, kStreamNameCharactersMax);
}

Shape ArnShape() { return String().Length(1, kArnCharactersMax); }

Shape StreamIdShape() { return String().Length(1, kStreamIdCharactersMax); }

Shape HashKeyShape() { return String().Matching(kHashKey); }

Shape SequenceNumberShape() { return String().Matching(kSequenceNumber); }

Shape ListLimitShape() { return Integer().Range(1, kListLimitMax); }

Shape NextTokenShape() { return String().Length(1, kNextTokenCharactersMax); }

Shape TagMapShape() {
  return Map(String())
      .Of(String().Length(0, kTagValueCharactersMax), /*told_together=*/true)
      .Length(1, kTagsOfRequestMax)
      .KeyLength(1, kTagKeyCharactersMax);
}

Shape TagKeysShape() {
  return List(String())
      .Of(String().Length(1, kTagKeyCharactersMax), /*told_together=*/true)
      .Length(1, kTagKeysOfRequestMax);
}

Shape StreamModeDetailsShape() {
  return Structure({{"StreamMode",
                     String().Required().OneOf({"PROVISIONED", "ON_DEMAND"})}});
}

Shape RecordDistributionShape() {
  return String().OneOf({"AUTO", "USER_PARTITION_KEY"});
}

Shape BytesOfRecordShape() {
  return Bytes().Required().Length(0, kDataBytesMax);
}

Shape PartitionKeyShape() {
  return String().Length(1, kPartitionKeyCharactersMax);
}

Shape OfStream(std::vector<ShapeMember> members) {
  return Plus(std::move(members), {{"StreamName", ResourceNameShape()},
                                   {"StreamARN", ArnShape()},
                                   {"StreamId", StreamIdShape()}});
}

Shape OfStreamArn(std::vector<ShapeMember> members) {
  return Plus(std::move(members), {{"StreamARN", ArnShape().Required()},
                                   {"StreamId", StreamIdShape()}});
}

Shape OfResource(std::vector<ShapeMember> members) {
  return Plus(std::move(members), {{"ResourceARN", ArnShape().Required()}});
}

}  // namespace trireme
