// Where a command reads and writes. Real in main.cc, strings in tests.
#ifndef TRIREME_CLIENT_CLI_CONSOLE_H_
#define TRIREME_CLIENT_CLI_CONSOLE_H_

#include <istream>
#include <ostream>

namespace trireme::cli {

struct Console {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
};

}  // namespace trireme::cli

#endif  // TRIREME_CLIENT_CLI_CONSOLE_H_
