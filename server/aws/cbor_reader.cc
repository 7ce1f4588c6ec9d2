#include "server/aws/cbor_reader.h"

#include <cbor.h>

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace trireme {
namespace {

constexpr uint64_t kIndefinite = std::numeric_limits<uint64_t>::max();

// What is open around the next item.
struct Level {
  enum class Kind { kMap, kList, kText, kBytes };
  Kind kind;
  uint64_t items_left;  // Keys and values of a map; kIndefinite: until a break.
  bool at_key = true;   // Of a map: the next item is a key.
};

class CborReader {
 public:
  explicit CborReader(MessageTree* tree) : tree_(tree) {}

  bool Read(absl::string_view body);

 private:
  using json = nlohmann::json;

  static const cbor_callbacks& Callbacks();
  static CborReader& Of(void* context) {
    return *static_cast<CborReader*>(context);
  }
  template <typename Number>
  static void OnUnsigned(void* context, Number value) {
    CborReader& reader = Of(context);
    if (reader.BeginValue()) {
      reader.EndItem(reader.tree_->number_unsigned(value));
    }
  }
  template <typename Number>
  static void OnNegative(void* context, Number value) {
    CborReader& reader = Of(context);
    constexpr auto kMax =
        static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    if (uint64_t{value} > kMax) return reader.Fail();
    if (reader.BeginValue()) {
      reader.EndItem(
          reader.tree_->number_integer(-1 - static_cast<int64_t>(value)));
    }
  }
  template <typename Number>
  static void OnFloat(void* context, Number value) {
    CborReader& reader = Of(context);
    if (reader.BeginValue()) {
      reader.EndItem(
          reader.tree_->number_float(static_cast<double>(value), ""));
    }
  }
  static void OnNull(void* context) {
    CborReader& reader = Of(context);
    if (reader.BeginValue()) reader.EndItem(reader.tree_->null());
  }
  static void OnTag(void*, uint64_t) {}

  void Fail() { ok_ = false; }
  // Whether a value that is no text may stand here.
  bool BeginValue();
  void OnText(std::string text);
  void OnBytes(absl::string_view bytes);
  void OpenMap(uint64_t pairs);
  void OpenList(uint64_t items);
  void OpenChunks(Level::Kind kind);
  void OnBreak();
  // An item is complete; so may be those around it.
  void EndItem(bool accepted);
  void CloseFull();
  bool Close(Level::Kind kind);

  MessageTree* const tree_;
  std::vector<Level> open_;
  std::string chunks_;  // Of the text or bytes that come in chunks.
  bool ok_ = true;
  bool done_ = false;
};

const cbor_callbacks& CborReader::Callbacks() {
  static const cbor_callbacks callbacks = [] {
    cbor_callbacks c = cbor_empty_callbacks;
    c.uint8 = OnUnsigned<uint8_t>;
    c.uint16 = OnUnsigned<uint16_t>;
    c.uint32 = OnUnsigned<uint32_t>;
    c.uint64 = OnUnsigned<uint64_t>;
    c.negint8 = OnNegative<uint8_t>;
    c.negint16 = OnNegative<uint16_t>;
    c.negint32 = OnNegative<uint32_t>;
    c.negint64 = OnNegative<uint64_t>;
    c.float2 = OnFloat<float>;
    c.float4 = OnFloat<float>;
    c.float8 = OnFloat<double>;
    c.null = OnNull;
    c.undefined = OnNull;
    c.tag = OnTag;
    c.boolean = [](void* context, bool value) {
      CborReader& reader = Of(context);
      if (reader.BeginValue()) reader.EndItem(reader.tree_->boolean(value));
    };
    c.string = [](void* context, cbor_data data, size_t bytes) {
      Of(context).OnText(
          std::string(reinterpret_cast<const char*>(data), bytes));
    };
    c.byte_string = [](void* context, cbor_data data, size_t bytes) {
      Of(context).OnBytes({reinterpret_cast<const char*>(data), bytes});
    };
    c.string_start = [](void* context) {
      Of(context).OpenChunks(Level::Kind::kText);
    };
    c.byte_string_start = [](void* context) {
      Of(context).OpenChunks(Level::Kind::kBytes);
    };
    c.map_start = [](void* context, size_t pairs) {
      Of(context).OpenMap(pairs);
    };
    c.indef_map_start = [](void* context) { Of(context).OpenMap(kIndefinite); };
    c.array_start = [](void* context, size_t items) {
      Of(context).OpenList(items);
    };
    c.indef_array_start = [](void* context) {
      Of(context).OpenList(kIndefinite);
    };
    c.indef_break = [](void* context) { Of(context).OnBreak(); };
    return c;
  }();
  return callbacks;
}

bool CborReader::Read(absl::string_view body) {
  while (ok_ && !done_) {
    const cbor_decoder_result result =
        cbor_stream_decode(reinterpret_cast<cbor_data>(body.data()),
                           body.size(), &Callbacks(), this);
    if (result.status != CBOR_DECODER_FINISHED) return false;
    body.remove_prefix(result.read);
  }
  return ok_ && body.empty();
}

bool CborReader::BeginValue() {
  if (open_.empty()) return true;
  const Level& level = open_.back();
  if (level.kind == Level::Kind::kList) return true;
  if (level.kind == Level::Kind::kMap && !level.at_key) return true;
  Fail();
  return false;
}

void CborReader::OnText(std::string text) {
  if (!open_.empty()) {
    Level& level = open_.back();
    if (level.kind == Level::Kind::kText) {
      chunks_ += text;
      return;
    }
    if (level.kind == Level::Kind::kMap && level.at_key) {
      return EndItem(tree_->key(text));
    }
  }
  if (BeginValue()) EndItem(tree_->string(text));
}

void CborReader::OnBytes(absl::string_view bytes) {
  if (!open_.empty() && open_.back().kind == Level::Kind::kBytes) {
    chunks_.append(bytes.data(), bytes.size());
    return;
  }
  if (!BeginValue()) return;
  json::binary_t binary(
      json::binary_t::container_type(bytes.begin(), bytes.end()));
  EndItem(tree_->binary(binary));
}

void CborReader::OpenMap(uint64_t pairs) {
  if (!BeginValue()) return;
  if (!tree_->start_object(pairs)) return Fail();
  if (pairs != kIndefinite) {
    // More than fit the body end it soon; the count must not wrap.
    if (pairs > kIndefinite / 4) return Fail();
    pairs *= 2;
  }
  open_.push_back({Level::Kind::kMap, pairs});
  CloseFull();
}

void CborReader::OpenList(uint64_t items) {
  if (!BeginValue()) return;
  if (!tree_->start_array(items)) return Fail();
  open_.push_back({Level::Kind::kList, items});
  CloseFull();
}

void CborReader::OpenChunks(Level::Kind kind) {
  // Text may be a key.
  const bool is_key = kind == Level::Kind::kText && !open_.empty() &&
                      open_.back().kind == Level::Kind::kMap &&
                      open_.back().at_key;
  if (!is_key && !BeginValue()) return;
  chunks_.clear();
  open_.push_back({kind, kIndefinite});
}

void CborReader::OnBreak() {
  if (open_.empty() || open_.back().items_left != kIndefinite) return Fail();
  const Level level = open_.back();
  if (level.kind == Level::Kind::kMap && !level.at_key) return Fail();
  open_.pop_back();
  switch (level.kind) {
    case Level::Kind::kText:
      return OnText(std::exchange(chunks_, {}));
    case Level::Kind::kBytes:
      return OnBytes(std::exchange(chunks_, {}));
    default:
      return EndItem(Close(level.kind));
  }
}

void CborReader::EndItem(bool accepted) {
  if (!accepted) return Fail();
  if (open_.empty()) {
    done_ = true;
    return;
  }
  Level& level = open_.back();
  level.at_key = !level.at_key;
  if (level.items_left != kIndefinite) --level.items_left;
  CloseFull();
}

void CborReader::CloseFull() {
  while (!open_.empty() && open_.back().items_left == 0) {
    const Level::Kind kind = open_.back().kind;
    open_.pop_back();
    if (!Close(kind)) return Fail();
    if (open_.empty()) {
      done_ = true;
      return;
    }
    Level& level = open_.back();
    level.at_key = !level.at_key;
    if (level.items_left != kIndefinite) --level.items_left;
  }
}

bool CborReader::Close(Level::Kind kind) {
  return kind == Level::Kind::kMap ? tree_->end_object() : tree_->end_array();
}

}  // namespace

bool ReadCbor(absl::string_view body, MessageTree* tree) {
  return CborReader(tree).Read(body);
}

}  // namespace trireme
