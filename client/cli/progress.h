// How far a long command is, on stderr: a bar that redraws itself on a
// terminal; elsewhere nothing, or a line every two seconds where asked. One
// thread.
#ifndef TRIREME_CLIENT_CLI_PROGRESS_H_
#define TRIREME_CLIENT_CLI_PROGRESS_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "client/cli/console.h"

namespace trireme::cli {

class Progress {
 public:
  enum class WithoutTerminal { kSilent, kLines };

  // `total` 0: unknown; then only the note is shown.
  Progress(Console& console, std::string label, uint64_t total,
           WithoutTerminal without_terminal = WithoutTerminal::kSilent);
  // Finish.
  ~Progress();

  // Cheap: draws at most ten times a second.
  void Update(uint64_t done, const std::string& note);
  // Takes the bar away; leaves lines.
  void Finish();

  // The bar alone, for one state.
  static std::string Bar(uint64_t done, uint64_t total, size_t width);

 private:
  void Draw(uint64_t done, const std::string& note);

  // Set at construction.
  Console& console_;
  const std::string label_;
  const uint64_t total_;
  const bool lines_;
  const absl::Time start_;

  absl::Time next_draw_;
  bool drawn_ = false;
};

}  // namespace trireme::cli

#endif  // TRIREME_CLIENT_CLI_PROGRESS_H_
