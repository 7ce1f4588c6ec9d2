// TCP ports for the servers that tests and benchmarks start.
#ifndef TRIREME_TESTS_FREE_PORTS_H_
#define TRIREME_TESTS_FREE_PORTS_H_

#include <vector>

namespace trireme {

// `count` ports that are free on loopback and that the kernel will not give to
// outgoing connections, so that a stopped server finds its own again.
std::vector<int> FreePorts(int count);
int FreePort();

}  // namespace trireme

#endif  // TRIREME_TESTS_FREE_PORTS_H_
