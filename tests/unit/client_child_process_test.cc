#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "client/cli/child_process.h"

namespace trireme::cli {
namespace {

std::unique_ptr<ChildProcess> StartShell(
    const std::string& script, const std::vector<std::string>& variables = {}) {
  auto started = ChildProcess::Start({"/bin/sh", "-c", script}, variables);
  EXPECT_TRUE(started.ok()) << started.status();
  return *std::move(started);
}

// All that it prints until it ends.
std::string OutputOf(ChildProcess& process) {
  std::string output;
  while (!process.End().has_value()) {
    process.Await(false, absl::Milliseconds(50));
    process.Read(&output);
  }
  process.Read(&output);
  return output;
}

TEST(ChildProcessTest, AProgramReadsItsInputToTheEndAndPrints) {
  const auto process = StartShell("cat; echo done");
  EXPECT_EQ(process->Write({"hello ", "world\n"}), 12u);
  process->CloseInput();
  EXPECT_EQ(OutputOf(*process), "hello world\ndone\n");
  EXPECT_TRUE(process->End()->ok());
  EXPECT_EQ(process->UnreadBytes(), 0u);
}

TEST(ChildProcessTest, AFullPipeTakesNoMoreAndDoesNotWait) {
  const auto process = StartShell("read line; exit 0");
  const std::string mebibyte(1 << 20, 'x');
  const size_t taken = process->Write({mebibyte});
  EXPECT_GT(taken, 0u);
  EXPECT_LT(taken, mebibyte.size());
}

TEST(ChildProcessTest, WhatAProgramDidNotReadIsKnownAfterItsEnd) {
  const auto process = StartShell("exit 3");
  process->Write({"1234567890"});
  OutputOf(*process);
  EXPECT_EQ(process->End()->exit_code, 3);
  EXPECT_EQ(process->End()->ToString(), "exit code 3");
  EXPECT_EQ(process->UnreadBytes(), 10u);
  EXPECT_EQ(process->Write({"1"}), 1u);  // Not SIGPIPE.
}

TEST(ChildProcessTest, TheEnvironmentIsOursAndWhatIsAdded) {
  ASSERT_EQ(setenv("CHILD_PROCESS_TEST_KEPT", "kept", 1), 0);
  ASSERT_EQ(setenv("CHILD_PROCESS_TEST_SET", "old", 1), 0);
  const auto process =
      StartShell("echo $CHILD_PROCESS_TEST_KEPT $CHILD_PROCESS_TEST_SET",
                 {"CHILD_PROCESS_TEST_SET=new"});
  EXPECT_EQ(OutputOf(*process), "kept new\n");
}

TEST(ChildProcessTest, SignalsAreNotBlockedAndReachAllThatItStarted) {
  sigset_t ours, before;
  sigemptyset(&ours);
  sigaddset(&ours, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ours, &before);
  const auto process = StartShell(
      "(trap 'echo heard; exit' TERM; echo up; while :; do sleep 1; done) & "
      "wait");
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  std::string output;
  const auto await = [&](const std::string& expected) {
    while (output != expected) {
      process->Await(false, absl::Seconds(1));
      process->Read(&output);
    }
  };
  await("up\n");
  process->Signal(SIGTERM);
  await("up\nheard\n");
  OutputOf(*process);
  EXPECT_EQ(process->End()->signal, SIGTERM);
  EXPECT_EQ(process->End()->ToString(), "signal 15 (Terminated)");
}

TEST(ChildProcessTest, NothingOfOursIsOpenInAProgram) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);  // Not close-on-exec.
  const auto process = StartShell("ls /proc/self/fd | wc -w");
  // Three, and the folder that ls reads.
  EXPECT_EQ(OutputOf(*process), "4\n");
  close(ends[0]);
  close(ends[1]);
}

TEST(ChildProcessTest, WhatCannotBeStartedSaysWhy) {
  EXPECT_EQ(access(FindProgram("sh")->c_str(), X_OK), 0);
  EXPECT_EQ(*FindProgram("/bin/sh"), "/bin/sh");
  EXPECT_TRUE(absl::IsNotFound(FindProgram("no-such-program").status()));
  EXPECT_TRUE(absl::IsNotFound(FindProgram("/etc/passwd").status()));
  const auto started = ChildProcess::Start({"/no/such/program"}, {});
  EXPECT_EQ(started.status().message(),
            "/no/such/program: No such file or directory");
}

}  // namespace
}  // namespace trireme::cli
