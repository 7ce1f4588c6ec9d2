#include "server/dynamodb/document.h"

#include <algorithm>
#include <map>
#include <utility>

#include "server/dynamodb/dynamodb_error.h"
#include "storage/status_macros.h"

namespace trireme::dynamodb {
namespace {

absl::Status InvalidPath() {
  return ValidationError(
      "The document path provided in the update expression is invalid for "
      "update");
}

const AttributeValue* FindStep(const AttributeValue& value,
                               const PathStep& step) {
  if (step.index.has_value()) {
    const bool is_there =
        value.type == AttributeType::kList && *step.index < value.list.size();
    return is_there ? &value.list[*step.index] : nullptr;
  }
  if (value.type != AttributeType::kMap) return nullptr;
  const auto found = value.map.find(step.name);
  return found == value.map.end() ? nullptr : &found->second;
}

// What the last step of the path stands in; the path has two steps at least.
absl::StatusOr<AttributeValue*> FindParent(const Path& path, Item* item) {
  const Path above(path.begin(), path.end() - 1);
  // The item is the caller's to change.
  auto* const parent = const_cast<AttributeValue*>(FindAt(*item, above));
  if (parent == nullptr) return InvalidPath();
  const AttributeType wanted = path.back().index.has_value()
                                   ? AttributeType::kList
                                   : AttributeType::kMap;
  if (parent->type != wanted) return InvalidPath();
  return parent;
}

// Which parts of a value are wanted.
struct Wanted {
  bool all = false;
  std::map<std::string, Wanted> names;
  std::map<size_t, Wanted> indexes;
};

void Want(const Path& path, Wanted* wanted) {
  for (const PathStep& step : path) {
    wanted = step.index.has_value() ? &wanted->indexes[*step.index]
                                    : &wanted->names[step.name];
  }
  wanted->all = true;
}

// False when nothing of the value is wanted.
bool Select(const AttributeValue& value, const Wanted& wanted,
            AttributeValue* selected) {
  if (wanted.all) {
    *selected = value;
    return true;
  }
  selected->type = value.type;
  if (value.type == AttributeType::kMap) {
    for (const auto& [name, part] : wanted.names) {
      AttributeValue inner;
      const auto found = value.map.find(name);
      if (found != value.map.end() && Select(found->second, part, &inner)) {
        selected->map[name] = std::move(inner);
      }
    }
  } else if (value.type == AttributeType::kList) {
    for (const auto& [index, part] : wanted.indexes) {
      AttributeValue inner;
      if (index < value.list.size() &&
          Select(value.list[index], part, &inner)) {
        selected->list.push_back(std::move(inner));
      }
    }
  }
  return !selected->map.empty() || !selected->list.empty();
}

}  // namespace

const AttributeValue* FindAt(const Item& item, const Path& path) {
  const auto found = item.find(path[0].name);
  if (found == item.end()) return nullptr;
  const AttributeValue* value = &found->second;
  for (size_t i = 1; i < path.size() && value != nullptr; ++i) {
    value = FindStep(*value, path[i]);
  }
  return value;
}

absl::Status SetAt(const Path& path, AttributeValue value, Item* item) {
  if (path.size() == 1) {
    (*item)[path[0].name] = std::move(value);
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(AttributeValue* const parent, FindParent(path, item));
  const PathStep& last = path.back();
  if (!last.index.has_value()) {
    parent->map[last.name] = std::move(value);
  } else if (*last.index < parent->list.size()) {
    parent->list[*last.index] = std::move(value);
  } else {
    parent->list.push_back(std::move(value));
  }
  return absl::OkStatus();
}

absl::Status RemoveAt(const Path& path, Item* item) {
  if (path.size() == 1) {
    item->erase(path[0].name);
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(AttributeValue* const parent, FindParent(path, item));
  const PathStep& last = path.back();
  if (!last.index.has_value()) {
    parent->map.erase(last.name);
  } else if (*last.index < parent->list.size()) {
    parent->list.erase(parent->list.begin() +
                       static_cast<std::ptrdiff_t>(*last.index));
  }
  return absl::OkStatus();
}

Item Project(const Item& item, const std::vector<Path>& paths) {
  AttributeValue whole;
  whole.type = AttributeType::kMap;
  whole.map = item;
  Wanted wanted;
  for (const Path& path : paths) Want(path, &wanted);
  AttributeValue selected;
  Select(whole, wanted, &selected);
  return std::move(selected.map);
}

}  // namespace trireme::dynamodb
