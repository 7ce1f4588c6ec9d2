#include "server/directory_lock.h"

#include "gmock/gmock.h"
#include "tests/unit/state_fixture.h"

namespace trireme {
namespace {

TEST(DirectoryLockTest, ASecondHolderIsToldWhichDirectoryAndWhatToDo) {
  const TemporaryDirectory parent;
  const std::string directory = parent.path() + "/data";
  auto first = DirectoryLock::Acquire(directory);
  ASSERT_OK(first);
  const auto second = DirectoryLock::Acquire(directory);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(second.status().message(),
            "the data directory " + directory +
                " is in use by another triremed; stop that one, or name "
                "another directory");
  first->reset();
  EXPECT_OK(DirectoryLock::Acquire(directory));
}

}  // namespace
}  // namespace trireme
