// MessageWriter writes an answer member by member in either encoding, without
// a tree of it in between: an answer may hold megabytes of records.
//
//   MessageWriter writer(format);
//   writer.BeginMap();
//   writer.Key("ShardId").String("shardId-000000000000");
//   writer.EndMap();
#ifndef TRIREME_SERVER_AWS_MESSAGE_WRITER_H_
#define TRIREME_SERVER_AWS_MESSAGE_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "rapidjson/writer.h"
#include "server/aws/message_format.h"

namespace trireme {

class MessageWriter {
 public:
  // `expected_bytes` is room to begin with.
  explicit MessageWriter(MessageFormat format, size_t expected_bytes = 0);

  MessageWriter(const MessageWriter&) = delete;
  MessageWriter& operator=(const MessageWriter&) = delete;

  MessageWriter& BeginMap();
  void EndMap();
  void BeginList();
  void EndList();
  // Of the next value. Returns *this, for one line a member.
  MessageWriter& Key(absl::string_view key);

  void String(absl::string_view value);
  void Integer(int64_t value);
  void Boolean(bool value);
  void Bytes(absl::string_view value);
  // In whole milliseconds.
  void Time(absl::Time value);

  // Room for as much more.
  void Reserve(size_t bytes) { out_.reserve(out_.size() + bytes); }

  MessageFormat format() const { return format_; }
  size_t size() const { return out_.size(); }
  // What was written. The writer is done.
  std::string Take() { return std::move(out_); }

 private:
  // What RapidJSON writes to.
  struct Output {
    using Ch = char;
    void Put(char c) { out->push_back(c); }
    void Flush() {}
    std::string* out;
  };
  class Json : public rapidjson::Writer<Output> {
   public:
    using rapidjson::Writer<Output>::Writer;
    void Base64(absl::string_view bytes, std::string* out);
  };

  // A head of CBOR: the first bytes of a value, or all of a number.
  template <typename Encode, typename... Args>
  void Head(Encode encode, Args... args);
  void Text(absl::string_view text);

  const MessageFormat format_;
  std::string out_;
  Output output_{&out_};
  Json json_{output_};
};

}  // namespace trireme

#endif  // TRIREME_SERVER_AWS_MESSAGE_WRITER_H_
