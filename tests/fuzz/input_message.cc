#include "tests/fuzz/input_message.h"

#include "google/protobuf/descriptor.h"
#include "google/protobuf/stubs/logging.h"

namespace trireme {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr uint64_t kElementsMax = 4;
constexpr uint64_t kStringBytesMax = 24;
constexpr uint64_t kLongCharactersMax = 600;

void SetFields(Input& input, Message* message);

// Mostly short; text is mostly UTF-8.
std::string TakeString(Input& input, const FieldDescriptor* field) {
  if (!input.Mostly(8)) {
    std::string text;
    for (uint64_t i = input.Below(kLongCharactersMax); i > 0; --i) {
      text += "\u00e9";
    }
    return text;
  }
  std::string text = input.Bytes(input.Byte() % kStringBytesMax);
  if (field->type() == FieldDescriptor::TYPE_STRING && input.Mostly(16)) {
    for (char& c : text) c = static_cast<char>(c & 0x7f);
  }
  return text;
}

template <typename Value>
void Set(Message* message, const FieldDescriptor* field, const Value& value,
         void (Reflection::*set)(Message*, const FieldDescriptor*, Value) const,
         void (Reflection::*add)(Message*, const FieldDescriptor*, Value)
             const) {
  const Reflection& reflection = *message->GetReflection();
  (reflection.*(field->is_repeated() ? add : set))(message, field, value);
}

void SetField(Input& input, Message* message, const FieldDescriptor* field) {
  const Reflection& reflection = *message->GetReflection();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return Set(message, field, input.Byte() % 2 == 1, &Reflection::SetBool,
                 &Reflection::AddBool);
    case FieldDescriptor::CPPTYPE_INT32:
      return Set(message, field, static_cast<int32_t>(input.Number()),
                 &Reflection::SetInt32, &Reflection::AddInt32);
    case FieldDescriptor::CPPTYPE_INT64:
      return Set(message, field, static_cast<int64_t>(input.Number()),
                 &Reflection::SetInt64, &Reflection::AddInt64);
    case FieldDescriptor::CPPTYPE_UINT32:
      return Set(message, field, static_cast<uint32_t>(input.Number()),
                 &Reflection::SetUInt32, &Reflection::AddUInt32);
    case FieldDescriptor::CPPTYPE_UINT64:
      return Set(message, field, input.Number(), &Reflection::SetUInt64,
                 &Reflection::AddUInt64);
    case FieldDescriptor::CPPTYPE_ENUM:
      return Set(message, field, static_cast<int>(input.Number()),
                 &Reflection::SetEnumValue, &Reflection::AddEnumValue);
    case FieldDescriptor::CPPTYPE_STRING:
      return Set(message, field, TakeString(input, field),
                 &Reflection::SetString, &Reflection::AddString);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return SetFields(input, field->is_repeated()
                                  ? reflection.AddMessage(message, field)
                                  : reflection.MutableMessage(message, field));
    default:
      return;  // We have no such field.
  }
}

void SetFields(Input& input, Message* message) {
  const google::protobuf::Descriptor& type = *message->GetDescriptor();
  for (int i = 0; i < type.field_count() && !input.empty(); ++i) {
    const uint64_t times =
        input.Byte() % (type.field(i)->is_repeated() ? kElementsMax : 2);
    for (uint64_t j = 0; j < times; ++j) {
      SetField(input, message, type.field(i));
    }
  }
}

}  // namespace

void TakeMessage(Input& input, Message* message) {
  // Text that is not UTF-8 is a fuzzer's daily bread.
  static auto* const former = google::protobuf::SetLogHandler(nullptr);
  static_cast<void>(former);
  SetFields(input, message);
}

}  // namespace trireme
