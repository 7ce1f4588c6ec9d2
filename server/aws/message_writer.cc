#include "server/aws/message_writer.h"

#include <cbor.h>
#include <openssl/evp.h>

#include "storage/check.h"

namespace trireme {
namespace {

constexpr size_t kCborHeadBytesMax = 9;
// RFC 8949 §3.4.2: seconds or milliseconds since 1970 by the service's use.
constexpr uint64_t kTimeTag = 1;
constexpr double kMillisPerSecond = 1000;

}  // namespace

void MessageWriter::Json::Base64(absl::string_view bytes, std::string* out) {
  Prefix(rapidjson::kStringType);
  out->push_back('"');
  const size_t begin = out->size();
  const size_t encoded = (bytes.size() + 2) / 3 * 4;
  out->resize(begin + encoded + 1);  // OpenSSL ends it with a zero.
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out->data() + begin),
                  reinterpret_cast<const unsigned char*>(bytes.data()),
                  static_cast<int>(bytes.size()));
  out->back() = '"';
}

MessageWriter::MessageWriter(MessageFormat format, size_t expected_bytes)
    : format_(format) {
  out_.reserve(expected_bytes);
  // A time like 1459799926.48 and no digit more.
  json_.SetMaxDecimalPlaces(3);
}

template <typename Encode, typename... Args>
void MessageWriter::Head(Encode encode, Args... args) {
  unsigned char head[kCborHeadBytesMax];
  const size_t bytes = encode(args..., head, sizeof(head));
  CHECK(bytes > 0, "a CBOR head does not fit its buffer");
  out_.append(reinterpret_cast<const char*>(head), bytes);
}

void MessageWriter::Text(absl::string_view text) {
  Head(cbor_encode_string_start, text.size());
  out_.append(text.data(), text.size());
}

MessageWriter& MessageWriter::BeginMap() {
  if (format_ == MessageFormat::kJson) {
    json_.StartObject();
  } else {
    Head(cbor_encode_indef_map_start);
  }
  return *this;
}

void MessageWriter::EndMap() {
  if (format_ == MessageFormat::kJson) {
    json_.EndObject();
  } else {
    Head(cbor_encode_break);
  }
}

void MessageWriter::BeginList() {
  if (format_ == MessageFormat::kJson) {
    json_.StartArray();
  } else {
    Head(cbor_encode_indef_array_start);
  }
}

void MessageWriter::EndList() {
  if (format_ == MessageFormat::kJson) {
    json_.EndArray();
  } else {
    Head(cbor_encode_break);
  }
}

MessageWriter& MessageWriter::Key(absl::string_view key) {
  if (format_ == MessageFormat::kJson) {
    json_.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
  } else {
    Text(key);
  }
  return *this;
}

void MessageWriter::String(absl::string_view value) {
  if (format_ == MessageFormat::kJson) {
    json_.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  } else {
    Text(value);
  }
}

void MessageWriter::Integer(int64_t value) {
  if (format_ == MessageFormat::kJson) {
    json_.Int64(value);
  } else if (value >= 0) {
    Head(cbor_encode_uint, static_cast<uint64_t>(value));
  } else {
    Head(cbor_encode_negint, ~static_cast<uint64_t>(value));
  }
}

void MessageWriter::Boolean(bool value) {
  if (format_ == MessageFormat::kJson) {
    json_.Bool(value);
  } else {
    Head(cbor_encode_bool, value);
  }
}

void MessageWriter::Bytes(absl::string_view value) {
  if (format_ == MessageFormat::kJson) {
    json_.Base64(value, &out_);
  } else {
    Head(cbor_encode_bytestring_start, value.size());
    out_.append(value.data(), value.size());
  }
}

void MessageWriter::Time(absl::Time value) {
  const int64_t millis = absl::ToUnixMillis(value);
  if (format_ == MessageFormat::kJson) {
    json_.Double(static_cast<double>(millis) / kMillisPerSecond);
  } else {
    Head(cbor_encode_tag, kTimeTag);
    Integer(millis);
  }
}

}  // namespace trireme
