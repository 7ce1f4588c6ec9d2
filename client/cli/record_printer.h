// Prints records as they come: aligned lines under one heading, or a JSON
// object on each line. The caller serialises.
#ifndef TRIREME_CLIENT_CLI_RECORD_PRINTER_H_
#define TRIREME_CLIENT_CLI_RECORD_PRINTER_H_

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "client/cli/format.h"
#include "client/cli/session.h"
#include "client/user_record.h"
#include "client/utf8.h"

namespace trireme::cli {

class RecordPrinter {
 public:
  explicit RecordPrinter(Session& session)
      : out_(session.console().out), json_(session.json()) {}

  void Print(const std::string& shard_id, const v1::Record& record) {
    if (json_) {
      out_ << Dump(RecordJson(shard_id, record), false) << "\n";
      return;
    }
    PrintLine(FormatTime(record.approximate_arrival_timestamp()), shard_id,
              record.sequence_number(), record.partition_key(), record.data());
  }
  // The number within an aggregate stands behind its sequence number.
  void Print(const std::string& shard_id, const client::UserRecord& record) {
    if (json_) {
      out_ << Dump(RecordJson(shard_id, record), false) << "\n";
      return;
    }
    std::string number = record.position.sequence_number;
    if (record.aggregated) {
      absl::StrAppend(&number, ":", record.position.sub_sequence_number);
    }
    PrintLine(TimeText(record.approximate_arrival_timestamp), shard_id, number,
              record.partition_key, record.data);
  }
  void Flush() { out_.flush(); }

 private:
  void PrintLine(const std::string& time, const std::string& shard_id,
                 const std::string& number, const std::string& key,
                 const std::string& data) {
    if (!heading_printed_) PrintHeading();
    // The width of keys is not known beforehand; it only grows.
    key_width_ = std::max(key_width_, client::Utf8Characters(key));
    const size_t padding = key_width_ - client::Utf8Characters(key);
    out_ << time << "  " << shard_id << "  " << number << "  " << DataText(key)
         << std::string(padding, ' ') << "  " << DataText(data) << "\n";
  }
  void PrintHeading() {
    const auto column = [&](const std::string& title, size_t width) {
      out_ << title << std::string(width - title.size() + 2, ' ');
    };
    column("ARRIVED", 24);
    column("SHARD", 20);
    column("SEQUENCE NUMBER", 56);
    column("KEY", key_width_);
    out_ << "DATA\n";
    heading_printed_ = true;
  }

  std::ostream& out_;
  const bool json_;
  bool heading_printed_ = false;
  size_t key_width_ = 12;
};

}  // namespace trireme::cli

#endif  // TRIREME_CLIENT_CLI_RECORD_PRINTER_H_
