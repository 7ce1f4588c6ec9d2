// StoreLog gives RocksDB's warnings and errors to the node's own log. A file of
// RocksDB's own would be one more writer on a full disk, and a failed write of
// it ends the process (an assertion in Debian's 7.8.3).
//
// Shared by RocksDB's threads; thread-safe.
#ifndef TRIREME_STORAGE_STORE_LOG_H_
#define TRIREME_STORAGE_STORE_LOG_H_

#include <rocksdb/env.h>

namespace trireme {

class StoreLog final : public rocksdb::Logger {
 public:
  StoreLog() : Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {}

  using Logger::Logv;
  void Logv(const char* format, va_list arguments) override;
  void Logv(rocksdb::InfoLogLevel level, const char* format,
            va_list arguments) override;
  // All options, at each start: of no use to who reads the node's log.
  void LogHeader(const char*, va_list) override {}
};

}  // namespace trireme

#endif  // TRIREME_STORAGE_STORE_LOG_H_
