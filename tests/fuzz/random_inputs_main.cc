// Runs a fuzz target without libFuzzer: on the files named, or on a number of
// random inputs made from fixed seeds.
//
//   some_fuzz --inputs=3000
//   some_fuzz crash-0123abcd
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

void RunInput(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()),
                         input.size());
}

void RunRandomInputs(int count) {
  for (int seed = 0; seed < count; ++seed) {
    std::mt19937_64 random(static_cast<uint64_t>(seed));
    std::string input(random() % 400, '\0');
    for (char& c : input) c = static_cast<char>(random());
    RunInput(input);
  }
  std::printf("%d random inputs: no failure\n", count);
}

int RunFile(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "cannot open %s\n", path);
    return 1;
  }
  RunInput(std::string(std::istreambuf_iterator<char>(file), {}));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr char kInputs[] = "--inputs=";
  for (int i = 1; i < argc; ++i) {
    if (std::strncmp(argv[i], kInputs, std::strlen(kInputs)) == 0) {
      RunRandomInputs(std::atoi(argv[i] + std::strlen(kInputs)));
    } else if (RunFile(argv[i]) != 0) {
      return 1;
    }
  }
}
