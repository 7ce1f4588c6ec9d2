// Prints records as they come: aligned lines under one heading, or a JSON
// object on each line. The caller serialises.
#ifndef TRIREME_CLIENT_CLI_RECORD_PRINTER_H_
#define TRIREME_CLIENT_CLI_RECORD_PRINTER_H_

#include <algorithm>
#include <string>

#include "client/cli/format.h"
#include "client/cli/session.h"
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
    if (!heading_printed_) PrintHeading();
    // The width of keys is not known beforehand; it only grows.
    key_width_ =
        std::max(key_width_, client::Utf8Characters(record.partition_key()));
    const size_t padding =
        key_width_ - client::Utf8Characters(record.partition_key());
    out_ << FormatTime(record.approximate_arrival_timestamp()) << "  "
         << shard_id << "  " << record.sequence_number() << "  "
         << DataText(record.partition_key()) << std::string(padding, ' ')
         << "  " << DataText(record.data()) << "\n";
  }
  void Flush() { out_.flush(); }

 private:
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
