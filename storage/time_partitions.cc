#include "storage/time_partitions.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "spdlog/spdlog.h"
#include "storage/check.h"
#include "storage/errors.h"
#include "storage/fixed_ints.h"
#include "storage/status_macros.h"
#include "trireme/v1/command.pb.h"

namespace trireme {

absl::StatusOr<std::unique_ptr<TimePartitions>> TimePartitions::Open(
    Store* store, const TimePartitionsOptions& options) {
  std::unique_ptr<TimePartitions> partitions(
      new TimePartitions(store, options));
  RETURN_IF_ERROR(partitions->LoadRows());
  RETURN_IF_ERROR(partitions->SortOutFamilies());
  return partitions;
}

absl::Status TimePartitions::LoadRows() {
  const Key prefix(KeyKind::kPartition);
  const auto rows = store_->NewIterator(store_->tables(), prefix.PrefixEnd());
  for (rows->Seek(prefix.view()); rows->Valid(); rows->Next())
    RETURN_IF_ERROR(LoadRow(rows->key(), rows->value()));
  return rows->status();
}

absl::Status TimePartitions::LoadRow(absl::string_view key,
                                     absl::string_view value) {
  const std::optional<PartitionId> id = DecodePartitionKey(key);
  v1::PartitionRow row;
  if (!id || !row.ParseFromArray(value.data(), static_cast<int>(value.size())))
    return absl::DataLossError("malformed row of a time partition");
  if (id->retention != options_.retention) return absl::OkStatus();
  absl::MutexLock lock(&mu_);
  Partition& partition = partitions_[id->number];
  partition.begun_ms = row.first_stamp_ms();
  partition.times.first_ms =
      row.has_oldest_stamp_ms() ? row.oldest_stamp_ms() : row.first_stamp_ms();
  partition.times.last_ms = row.last_stamp_ms();
  for (const v1::PartitionGroupRow& group : row.groups()) {
    spans_[GroupId(group.group())].push_back(
        {id->number, group.first_index(), group.last_index()});
  }
  return absl::OkStatus();
}

// Matches the families that exist with the rows. Families behind the newest
// row were made ahead of time; one before it that has no row is of unknown
// origin, and stays where it is.
absl::Status TimePartitions::SortOutFamilies() {
  absl::MutexLock lock(&mu_);
  const uint64_t newest = partitions_.empty() ? 0 : partitions_.rbegin()->first;
  next_number_ = newest + 1;
  for (const Store::FamilyRef& family : store_->families()) {
    const std::optional<PartitionId> id = ParsePartitionName(family->name());
    if (!id || id->retention != options_.retention) continue;
    const auto row = partitions_.find(id->number);
    if (row != partitions_.end()) {
      row->second.family = family;
      row->second.bytes = store_->family_bytes_on_disk(*family);
    } else if (id->number > newest) {
      spares_[id->number] = family;
      next_number_ = std::max(next_number_, id->number + 1);
    } else {
      spdlog::error("column family {} has no row; it is left alone",
                    family->name());
    }
  }
  // A row without a family: the node stopped between dropping an expired
  // family and forgetting its row.
  for (auto& [group, spans] : spans_) {
    std::erase_if(spans, [&](const Span& span) ABSL_NO_THREAD_SAFETY_ANALYSIS {
      return partitions_[span.number].family == nullptr;
    });
  }
  Store::Batch forget;
  for (auto at = partitions_.begin(); at != partitions_.end();) {
    if (at->second.family != nullptr) {
      ++at;
      continue;
    }
    forget.Delete(*store_->tables(), PartitionKey(IdOf(at->first)).view());
    at = partitions_.erase(at);
  }
  if (!partitions_.empty()) open_ = partitions_.rbegin()->first;
  for (const auto& [number, partition] : partitions_) {
    if (number != open_) store_->Seal(*partition.family);
  }
  return store_->Write(&forget);
}

absl::Status TimePartitions::Resume(GroupId group, LogIndex last_index,
                                    int64_t last_stamp_ms) {
  Store::FamilyRef family;
  {
    absl::MutexLock lock(&mu_);
    auto& spans = spans_[group];
    if (!open_ || spans.empty() || spans.back().number != *open_)
      return absl::OkStatus();
    spans.back().last = std::max(spans.back().last, last_index);
    Partition& partition = partitions_[*open_];
    partition.times.last_ms = std::max(partition.times.last_ms, last_stamp_ms);
    family = partition.family;
  }
  const Key prefix = GroupTimesKey(group);
  const auto times = store_->NewIterator(family, prefix.PrefixEnd());
  times->SeekForPrev(prefix.PrefixEnd());
  if (!times->Valid()) return times->status();
  const std::optional<SecondId> id = DecodeTimeKey(times->key());
  if (!id || id->group != group) return absl::OkStatus();
  if (times->value().size() != sizeof(LogIndex))
    return absl::DataLossError("malformed row of a time index");
  newest_moments_[group] = {id->second,
                            LoadLittle<LogIndex>(times->value().data())};
  return absl::OkStatus();
}

// --- the writer ---

absl::StatusOr<Store::FamilyRef> TimePartitions::Place(
    const Arrival& arrival, std::span<const Moment> moments,
    Store::Batch* batch) {
  if (MustRoll(arrival)) RETURN_IF_ERROR(Roll(arrival.first_ms, batch));
  Store::FamilyRef family;
  std::string row;
  {
    absl::MutexLock lock(&mu_);
    // The row says which groups are in the partition; how far they reach is
    // written when the partition ends.
    if (Extend(*open_, arrival)) row = EncodeRow(*open_);
    family = partitions_[*open_].family;
  }
  if (!row.empty())
    batch->Put(*store_->tables(), PartitionKey(IdOf(*open_)).view(), row);
  for (const Moment& moment : moments)
    RETURN_IF_ERROR(NoteMoment(family, arrival.group, moment, batch));
  return family;
}

bool TimePartitions::MustRoll(const Arrival& arrival) const {
  if (!open_) return true;
  absl::MutexLock lock(&mu_);
  const Partition& open = partitions_.at(*open_);
  // Stamps are not negative, so this cannot overflow, however wrong a clock.
  return arrival.first_ms - options_.partition_ms >= open.begun_ms ||
         (open.bytes > 0 &&
          open.bytes + arrival.bytes > options_.partition_bytes_max);
}

absl::Status TimePartitions::Roll(int64_t stamp_ms, Store::Batch* batch) {
  absl::StatusOr<std::pair<uint64_t, Store::FamilyRef>> spare = TakeSpare();
  // On a full disk the open partition goes on for a while.
  if (open_ && ReasonOf(spare.status()) == ErrorReason::kDiskFull)
    return absl::OkStatus();
  RETURN_IF_ERROR(spare.status());
  absl::MutexLock lock(&mu_);
  if (open_) {
    batch->Put(*store_->tables(), PartitionKey(IdOf(*open_)).view(),
               EncodeRow(*open_));
    store_->Seal(*partitions_[*open_].family);
  }
  open_ = spare->first;
  newest_moments_.clear();
  Partition& partition = partitions_[spare->first];
  partition.family = std::move(spare->second);
  partition.begun_ms = stamp_ms;
  partition.times = {stamp_ms, stamp_ms};
  return absl::OkStatus();
}

bool TimePartitions::Extend(uint64_t number, const Arrival& arrival) {
  Partition& partition = partitions_[number];
  const bool is_older = arrival.first_ms < partition.times.first_ms;
  if (is_older) partition.times.first_ms = arrival.first_ms;
  partition.times.last_ms = std::max(partition.times.last_ms, arrival.last_ms);
  partition.bytes += arrival.bytes;
  auto& spans = spans_[arrival.group];
  const bool is_new = spans.empty() || spans.back().number != number;
  if (is_new) {
    // Never below the one before, so that FirstFrom can search by halves.
    // Catch-up may bring lower indexes than a former partition holds.
    const LogIndex floor = spans.empty() ? 0 : spans.back().last;
    spans.push_back({number, arrival.first_index, floor});
  }
  Span& span = spans.back();
  span.first = std::min(span.first, arrival.first_index);
  span.last = std::max(span.last, arrival.last_index);
  return is_new || is_older;
}

absl::Status TimePartitions::NoteMoment(const Store::FamilyRef& family,
                                        GroupId group, const Moment& moment,
                                        Store::Batch* batch) {
  const Key key = TimeKey({group, moment.second});
  const auto [newest, first] = newest_moments_.try_emplace(group, moment);
  if (!first && newest->second.second == moment.second &&
      newest->second.index <= moment.index)
    return absl::OkStatus();  // Nearly every entry: its second has begun.
  LogIndex index = moment.index;
  if (!first && moment.second <= newest->second.second) {
    // Catch-up brings shard after shard, each from its oldest block.
    ASSIGN_OR_RETURN(const std::optional<std::string> row,
                     store_->Get(*family, key.view()));
    if (row && row->size() == sizeof(LogIndex))
      index = std::min(index, LoadLittle<LogIndex>(row->data()));
  }
  if (first || moment.second >= newest->second.second)
    newest->second = {moment.second, index};
  std::string value;
  AppendLittle(index, &value);
  batch->Put(*family, key.view(), value);
  return absl::OkStatus();
}

std::string TimePartitions::EncodeRow(uint64_t number) const {
  const Partition& partition = partitions_.at(number);
  v1::PartitionRow row;
  row.set_first_stamp_ms(partition.begun_ms);
  row.set_last_stamp_ms(partition.times.last_ms);
  if (partition.times.first_ms < partition.begun_ms)
    row.set_oldest_stamp_ms(partition.times.first_ms);
  for (const auto& [group, spans] : spans_) {
    if (spans.empty() || spans.back().number != number) continue;
    v1::PartitionGroupRow* out = row.add_groups();
    out->set_group(group.value());
    out->set_first_index(spans.back().first);
    out->set_last_index(spans.back().last);
  }
  return row.SerializeAsString();
}

std::vector<TimePartitions::Expired> TimePartitions::TakeExpired(
    absl::FunctionRef<bool(const PartitionTimes&)> is_unwanted) {
  std::vector<Expired> expired;
  absl::MutexLock lock(&mu_);
  std::vector<uint64_t> unwanted;
  for (const auto& [number, partition] : partitions_) {
    if (is_unwanted(partition.times)) unwanted.push_back(number);
  }
  for (const uint64_t number : unwanted) expired.push_back(Hide(number));
  return expired;
}

bool TimePartitions::Any(
    absl::FunctionRef<bool(const PartitionTimes&)> is_such) const {
  absl::MutexLock lock(&mu_);
  return std::any_of(partitions_.begin(), partitions_.end(),
                     [&](const auto& entry) ABSL_NO_THREAD_SAFETY_ANALYSIS {
                       return is_such(entry.second.times);
                     });
}

std::optional<TimePartitions::Sealed> TimePartitions::OldestBefore(
    int64_t cutoff_ms) const {
  absl::MutexLock lock(&mu_);
  if (partitions_.empty()) return std::nullopt;
  const auto& [number, oldest] = *partitions_.begin();
  if (open_ == number || oldest.times.last_ms >= cutoff_ms) return std::nullopt;
  return Sealed{number, oldest.family, oldest.times};
}

std::vector<TimePartitions::Expired> TimePartitions::Take(uint64_t number) {
  std::vector<Expired> taken;
  absl::MutexLock lock(&mu_);
  if (partitions_.contains(number)) taken.push_back(Hide(number));
  return taken;
}

TimePartitions::Expired TimePartitions::Hide(uint64_t number) {
  const auto at = partitions_.find(number);
  CHECK(at != partitions_.end(), "no such time partition");
  Expired expired{IdOf(number), std::move(at->second.family)};
  partitions_.erase(at);
  for (auto& [group, spans] : spans_)
    std::erase_if(spans, [&](const Span& s) { return s.number == number; });
  if (open_ == number) open_.reset();
  return expired;
}

// --- families ahead of time ---

absl::Status TimePartitions::PrepareNext() {
  {
    absl::MutexLock lock(&mu_);
    if (creating_spare_ || !spares_.empty()) return absl::OkStatus();
    if (partitions_.empty() && options_.retention != RetentionClass::kDay)
      return absl::OkStatus();
    creating_spare_ = true;
  }
  const absl::Status created = CreateSpare();
  // Place makes it, or does without, when one is wanted before there is space.
  return ReasonOf(created) == ErrorReason::kDiskFull ? absl::OkStatus()
                                                     : created;
}

// The caller has set creating_spare_.
absl::Status TimePartitions::CreateSpare() {
  uint64_t number = 0;
  {
    absl::MutexLock lock(&mu_);
    number = next_number_++;
  }
  auto family = store_->CreateFamily(PartitionName(IdOf(number)));
  absl::MutexLock lock(&mu_);
  creating_spare_ = false;
  if (!family.ok()) return family.status();
  spares_[number] = *std::move(family);
  return absl::OkStatus();
}

absl::StatusOr<std::pair<uint64_t, Store::FamilyRef>>
TimePartitions::TakeSpare() {
  bool create = false;
  {
    absl::MutexLock lock(&mu_);
    // Waiting for one on its way keeps partitions in the order of numbers.
    mu_.Await(absl::Condition(
        +[](bool* creating) { return !*creating; }, &creating_spare_));
    create = spares_.empty();
    creating_spare_ = create;
  }
  if (create) RETURN_IF_ERROR(CreateSpare());
  absl::MutexLock lock(&mu_);
  CHECK(!spares_.empty(), "a spare partition was just made");
  const auto first = spares_.begin();
  std::pair<uint64_t, Store::FamilyRef> spare = *first;
  spares_.erase(first);
  return spare;
}

// --- readers ---

PartitionView TimePartitions::View(const Span& span) const {
  const Partition& partition = partitions_.at(span.number);
  return {span.number, partition.family, partition.times.last_ms, span.last};
}

std::optional<PartitionView> TimePartitions::FirstFrom(GroupId group,
                                                       LogIndex index) const {
  absl::MutexLock lock(&mu_);
  const auto spans = spans_.find(group);
  if (spans == spans_.end()) return std::nullopt;
  const auto at = std::partition_point(
      spans->second.begin(), spans->second.end(),
      [index](const Span& span) { return span.last < index; });
  if (at == spans->second.end()) return std::nullopt;
  return View(*at);
}

std::optional<PartitionView> TimePartitions::After(GroupId group,
                                                   uint64_t number) const {
  absl::MutexLock lock(&mu_);
  const auto spans = spans_.find(group);
  if (spans == spans_.end()) return std::nullopt;
  const auto at = std::partition_point(
      spans->second.begin(), spans->second.end(),
      [number](const Span& span) { return span.number <= number; });
  if (at == spans->second.end()) return std::nullopt;
  return View(*at);
}

size_t TimePartitions::partition_count() const {
  absl::MutexLock lock(&mu_);
  return partitions_.size();
}

}  // namespace trireme
