// Tags as rows of commands and of the catalogue, and back
// (proto/trireme/v1/command.proto, TagRow).
#ifndef TRIREME_STORAGE_TAG_ROWS_H_
#define TRIREME_STORAGE_TAG_ROWS_H_

#include "storage/catalog.h"
#include "trireme/v1/command.pb.h"

namespace trireme {

using TagRows = google::protobuf::RepeatedPtrField<v1::TagRow>;

// Adds rows by key, ascending.
inline void AppendTags(const Tags& tags, TagRows* rows) {
  for (const auto& [key, value] : tags) {
    v1::TagRow& row = *rows->Add();
    row.set_key(key);
    row.set_value(value);
  }
}

// Sets the tags that the rows name; leaves the others.
inline void SetTags(const TagRows& rows, Tags* tags) {
  for (const v1::TagRow& row : rows) (*tags)[row.key()] = row.value();
}

}  // namespace trireme

#endif  // TRIREME_STORAGE_TAG_ROWS_H_
