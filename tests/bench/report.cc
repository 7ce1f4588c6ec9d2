#include "tests/bench/report.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"

namespace trireme::bench {
namespace {

constexpr int kBarWidth = 24;  // Full: the target is reached.
constexpr size_t kDetailsWidth = 120;

std::string Bar(double reached) {
  const int length =
      std::clamp(static_cast<int>(reached * kBarWidth), 0, kBarWidth);
  return std::string(static_cast<size_t>(length), '#') +
         std::string(static_cast<size_t>(kBarWidth - length), '.');
}

std::string Number(double value) {
  if (value == 0) return "0";
  if (std::abs(value) >= 100) return absl::StrFormat("%.0f", value);
  if (std::abs(value) >= 10) return absl::StrFormat("%.1f", value);
  return absl::StrFormat("%.2f", value);
}

void PrintDetails(const Row& row, std::ostream& out) {
  std::string line;
  for (const auto& [name, value] : row.details) {
    const std::string detail = absl::StrFormat("%s %s", name, Number(value));
    if (!line.empty() && line.size() + detail.size() > kDetailsWidth) {
      out << "    " << line << ",\n";
      line.clear();
    }
    line += (line.empty() ? "" : ", ") + detail;
  }
  if (!line.empty()) out << "    " << line << "\n";
}

double LoadAverage() {
  double load = 0;
  return getloadavg(&load, 1) == 1 ? load : 0;
}

}  // namespace

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  const size_t middle = (values.size() - 1) / 2;
  std::nth_element(values.begin(),
                   values.begin() + static_cast<ptrdiff_t>(middle),
                   values.end());
  return values[middle];
}

double Percentile(std::vector<double> values, double fraction) {
  if (values.empty()) return 0;
  const double rank = std::ceil(fraction * static_cast<double>(values.size()));
  const size_t place =
      std::min(values.size() - 1, static_cast<size_t>(std::max(rank - 1, 0.0)));
  std::nth_element(values.begin(),
                   values.begin() + static_cast<ptrdiff_t>(place),
                   values.end());
  return values[place];
}

void PrintTable(const std::vector<Row>& rows, std::ostream& out) {
  out << absl::StrFormat("\n%d cores, load average %.1f\n\n",
                         sysconf(_SC_NPROCESSORS_ONLN), LoadAverage());
  out << absl::StrFormat("%-34s %16s  %-30s %-6s\n", "row", "figure", "target",
                         "");
  for (const Row& row : rows) {
    out << absl::StrFormat("%-34s %10s %-5s  %-30s %-6s [%s] %.2fx\n",
                           row.title, Number(row.figure), row.unit, row.target,
                           row.ok() ? "ok" : "below", Bar(row.reached),
                           row.reached);
    if (row.floor > 0) {
      out << absl::StrFormat(
          "    floor: %s %s %s, ratio %.2f%s\n", row.floor_title,
          Number(row.floor), row.unit, row.figure / row.floor,
          row.floor_disturbed() ? " (floor disturbed by other work: not valid)"
                                : "");
    }
    PrintDetails(row, out);
  }
}

std::string ToJson(const std::vector<Row>& rows) {
  nlohmann::ordered_json all;
  all["cores"] = sysconf(_SC_NPROCESSORS_ONLN);
  all["load_average"] = LoadAverage();
  for (const Row& row : rows) {
    nlohmann::ordered_json one;
    one["row"] = row.name;
    one["title"] = row.title;
    one["figure"] = row.figure;
    one["unit"] = row.unit;
    if (row.floor > 0) {
      one["floor"] = row.floor;
      one["floor_title"] = row.floor_title;
      one["ratio"] = row.figure / row.floor;
      one["floor_disturbed"] = row.floor_disturbed();
    }
    one["target"] = row.target;
    one["reached"] = row.reached;
    one["ok"] = row.ok();
    for (const auto& [name, value] : row.details) one["details"][name] = value;
    all["rows"].push_back(std::move(one));
  }
  return all.dump(2);
}

}  // namespace trireme::bench
