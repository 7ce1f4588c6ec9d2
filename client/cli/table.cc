#include "client/cli/table.h"

#include <algorithm>
#include <utility>

#include "client/utf8.h"

namespace trireme::cli {
namespace {

std::string Pad(const std::string& text, size_t width, Align align) {
  const size_t missing = width - std::min(width, client::Utf8Characters(text));
  const std::string spaces(missing, ' ');
  return align == Align::kRight ? spaces + text : text + spaces;
}

void PrintRule(std::ostream& out, const std::vector<size_t>& widths,
               const char* left, const char* middle, const char* right) {
  out << left;
  for (size_t i = 0; i < widths.size(); ++i) {
    if (i > 0) out << middle;
    for (size_t j = 0; j < widths[i] + 2; ++j) out << "─";
  }
  out << right << "\n";
}

}  // namespace

void Table::AddRow(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  rows_.push_back(std::move(cells));
}

std::vector<size_t> Table::Widths() const {
  std::vector<size_t> widths;
  for (size_t i = 0; i < columns_.size(); ++i) {
    size_t width = client::Utf8Characters(columns_[i].title);
    for (const auto& row : rows_)
      width = std::max(width, client::Utf8Characters(row[i]));
    widths.push_back(width);
  }
  return widths;
}

void Table::Print(std::ostream& out, bool boxed) const {
  const std::vector<size_t> widths = Widths();
  const auto print_cells = [&](const auto& cell_of) {
    std::string line;
    for (size_t i = 0; i < columns_.size(); ++i) {
      const std::string cell = Pad(cell_of(i), widths[i], columns_[i].align);
      line += boxed ? "│ " + cell + " " : (i > 0 ? "  " : "") + cell;
    }
    if (boxed) {
      line += "│";
    } else {
      line.erase(line.find_last_not_of(' ') + 1);
    }
    out << line << "\n";
  };
  if (boxed) PrintRule(out, widths, "┌", "┬", "┐");
  print_cells([&](size_t i) { return columns_[i].title; });
  if (boxed) PrintRule(out, widths, "├", "┼", "┤");
  for (const auto& row : rows_) {
    print_cells([&](size_t i) { return row[i]; });
  }
  if (boxed) PrintRule(out, widths, "└", "┴", "┘");
}

}  // namespace trireme::cli
