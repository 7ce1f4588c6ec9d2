#include "server/kinesis/descriptions.h"
#include "server/kinesis/operations.h"
#include "server/kinesis/shapes.h"
#include "server/limits.h"

namespace trireme {
namespace {

void WritePage(const ListTagsResponse& found, KinesisCall& /*call*/,
               MessageWriter* writer) {
  WriteTags(found.tags, writer);
  writer->Key("HasMoreTags").Boolean(found.has_more_tags);
}

void WriteAll(const ListTagsResponse& found, KinesisCall& /*call*/,
              MessageWriter* writer) {
  WriteTags(found.tags, writer);
}

void OfTheStream(KinesisCallPtr call) {
  const MessageView in = call->input();
  call->broker().ListTags({call->Stream(), in.String("ExclusiveStartTagKey"),
                           in.Integer("Limit").value_or(0)},
                          kKinesisCallTimeout, ReplyWith(call, WritePage));
}

void OfTheResource(KinesisCallPtr call) {
  call->broker().ListTags({call->Resource(), "", 0}, kKinesisCallTimeout,
                          ReplyWith(call, WriteAll));
}

}  // namespace

KinesisOperation ListTagsForStreamOperation() {
  return {"ListTagsForStream",
          OfStream({{"Limit", Integer().Range(1, kTagsMax)},
                    {"ExclusiveStartTagKey",
                     String().Length(1, kTagKeyCharactersMax)}}),
          OfTheStream};
}

KinesisOperation ListTagsForResourceOperation() {
  return {"ListTagsForResource", OfResource(), OfTheResource};
}

}  // namespace trireme
