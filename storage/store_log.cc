#include "storage/store_log.h"

#include <array>
#include <cstdio>

#include "absl/strings/match.h"
#include "spdlog/spdlog.h"

namespace trireme {

void StoreLog::Logv(const char* format, va_list arguments) {
  Logv(rocksdb::InfoLogLevel::INFO_LEVEL, format, arguments);
}

void StoreLog::Logv(rocksdb::InfoLogLevel level, const char* format,
                    va_list arguments) {
  if (level < GetInfoLogLevel()) return;
  std::array<char, 500> text;
  std::vsnprintf(text.data(), text.size(), format, arguments);
  // As it is meant to be: store_files.cc.
  if (absl::StrContains(text.data(), "persist options")) return;
  const bool is_error = level >= rocksdb::InfoLogLevel::ERROR_LEVEL;
  spdlog::log(is_error ? spdlog::level::err : spdlog::level::warn,
              "store: RocksDB: {}", text.data());
}

}  // namespace trireme
