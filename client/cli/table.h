// A table people can read: boxed on a terminal, aligned columns elsewhere, so
// that cut and awk work. Width is counted in characters of UTF-8.
#ifndef TRIREME_CLIENT_CLI_TABLE_H_
#define TRIREME_CLIENT_CLI_TABLE_H_

#include <ostream>
#include <string>
#include <vector>

namespace trireme::cli {

enum class Align { kLeft, kRight };

class Table {
 public:
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // Missing cells are empty; there must not be more than columns.
  void AddRow(std::vector<std::string> cells);
  void Print(std::ostream& out, bool boxed) const;

 private:
  std::vector<size_t> Widths() const;

  const std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace trireme::cli

#endif  // TRIREME_CLIENT_CLI_TABLE_H_
