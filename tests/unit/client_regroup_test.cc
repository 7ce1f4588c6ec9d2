#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "client/regroup.h"

namespace trireme::client {
namespace {

// "3": number 3, never written; "3w": may be written; "3m": misplaced; "0": has
// none. Each is called by its place in the list.
std::deque<Container> Queue(const std::vector<std::string>& all) {
  std::deque<Container> queue;
  for (const std::string& what : all) {
    Container& container = queue.emplace_back(UserPut());
    container.number = static_cast<uint64_t>(what[0] - '0');
    container.may_be_written = what.size() > 1;
    if (what.ends_with("m")) container.misplaced.emplace();
    container.attempts = static_cast<int>(queue.size());
  }
  return queue;
}

// "1:3 2:0": the first one has number 3, the second one none.
std::string After(const std::vector<std::string>& all) {
  std::deque<Container> queue = Queue(all);
  NumberWindow none(100);
  none.Close();
  GiveNumbers(queue, none);
  std::string text;
  for (const Container& container : queue) {
    if (!text.empty()) text += ' ';
    text += std::to_string(container.attempts) + ':' +
            std::to_string(container.number);
  }
  return text;
}

TEST(GiveNumbersTest, NewOnesAreTakenInOrder) {
  std::deque<Container> queue = Queue({"1", "0", "2m", "0"});
  NumberWindow numbers(7);
  GiveNumbers(queue, numbers);
  EXPECT_EQ(queue[1].number, 7u);
  EXPECT_EQ(queue[2].number, 2u);
  EXPECT_EQ(queue[3].number, 8u);
}

TEST(GiveNumbersTest, ThoseInFrontGetTheNumbersOfThoseBehind) {
  EXPECT_EQ(After({"1", "0", "2", "0", "3"}), "1:1 2:3 3:2 4:0 5:0");
  EXPECT_EQ(After({"0", "0", "1", "2"}), "1:2 2:1 3:0 4:0");
  EXPECT_EQ(After({"1", "2"}), "1:1 2:2");
  EXPECT_EQ(After({}), "");
}

TEST(GiveNumbersTest, WhatMayBeWrittenKeepsItsNumberAndGoesFirst) {
  EXPECT_EQ(After({"0", "1w"}), "2:1 1:0");
  EXPECT_EQ(After({"0", "0", "1w", "2", "3w"}), "1:2 3:1 5:3 2:0 4:0");
}

TEST(GiveNumbersTest, MisplacedOnesNeitherGiveNorTake) {
  EXPECT_EQ(After({"1m", "0", "2"}), "1:1 2:2 3:0");
  EXPECT_EQ(After({"0", "1m"}), "1:0 2:1");
}

}  // namespace
}  // namespace trireme::client
