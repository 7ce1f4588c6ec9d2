// What a benchmark found: one row per promise of design.md §6, printed as a
// table with a bar per row and as JSON. One thread.
#ifndef TRIREME_TESTS_BENCH_REPORT_H_
#define TRIREME_TESTS_BENCH_REPORT_H_

#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace trireme::bench {

struct Row {
  std::string name;  // What --rows takes, or begins with it.
  std::string title;
  double figure = 0;
  std::string unit;
  // What the machine itself does, measured in the same run; 0: none.
  double floor = 0;
  std::string floor_title;
  // No figure can be below the floor. One that is shows that other work held
  // the processor while the floor was measured: then it says nothing.
  bool floor_is_least = false;
  std::string target;
  // The share of the target that is reached; 1 or more is reached.
  double reached = 0;
  // Everything else worth knowing, in the order of printing.
  std::vector<std::pair<std::string, double>> details;

  bool ok() const { return reached >= 1; }
  bool floor_disturbed() const { return floor_is_least && floor > figure; }
};

// The middle one; the lower of two.
double Median(std::vector<double> values);

// The smallest value that `fraction` of all do not exceed. 0 for none.
double Percentile(std::vector<double> values, double fraction);

void PrintTable(const std::vector<Row>& rows, std::ostream& out);
std::string ToJson(const std::vector<Row>& rows);

}  // namespace trireme::bench

#endif  // TRIREME_TESTS_BENCH_REPORT_H_
